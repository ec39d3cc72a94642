"""What Elasticsearch is told about log lines: how they are read, how they are stored, and for how long.

Everything follows from `logging` of operations.yaml. `host/state.py` applies it.
"""

from typing import Any

from nexus.environment.environment import Environment

NAME = "nexus-cos"  # of the policy, the pipeline and the template
PRIORITY = 500  # above the vendor's own templates
KEYWORD = {"type": "keyword", "ignore_above": 256}  # longer values are no identifiers
TYPES: dict[str, dict[str, Any]] = {
    "timestamp": {"type": "alias", "path": "@timestamp"},  # Elasticsearch wants this name for the time
    "message": {"type": "text"},
    "duration": {"type": "float"},
    "statusCode": {"type": "short"},
}
ADDED = ("hostname", "unit", "release", "task")  # fields of the journal, which say where a line comes from


def items(env: Environment) -> dict[str, dict[str, Any]]:
    """{kind and name: its content}, in the order in which they refer to each other."""
    return {
        f"lifecycle policy {NAME}": {"phases": phases(env)},
        f"ingest pipeline {NAME}": pipeline(env),
        f"index template {NAME}": template(env),
    }


def stream(env: Environment) -> str:
    """The data stream that takes the lines: its name fits `index_pattern`."""
    return str(env.catalogue.operations.logging.index_pattern).replace("*", "logs")


def phases(env: Environment) -> dict[str, Any]:
    """Lines stay as they came for the hot days, then take less memory, and are deleted after the archive's days."""
    logging = env.catalogue.operations.logging
    rollover = {"max_age": "1d", "max_primary_shard_size": f"{env.setting.elk_index_gb}gb"}
    smaller = {"readonly": {}, "forcemerge": {"max_num_segments": 1}, "set_priority": {"priority": 0}}
    return {
        "hot": {"actions": {"rollover": rollover, "set_priority": {"priority": 100}}},
        "warm": {"min_age": f"{logging.retention_hot_days}d", "actions": smaller},
        "delete": {"min_age": f"{logging.retention_archive_days}d", "actions": {"delete": {}}},
    }


def pipeline(env: Environment) -> dict[str, Any]:
    """A message in the platform's format becomes its fields; any other line gets what the journal knows of it."""
    entry = {
        "field": "message",
        "target_field": "entry",
        "if": "ctx.message instanceof String && ctx.message.startsWith('{')",
        "ignore_failure": True,  # cut off, or not what it looks like
    }
    names = [name for name in env.catalogue.operations.logging.fields if TYPES.get(name, KEYWORD)["type"] != "alias"]
    script = {"lang": "painless", "source": env.render("elk/pipeline.painless.j2"), "params": {"names": names}}
    failed = {"set": {"field": "unparsed", "value": True}}
    return {
        "description": "Fields of the platform's log lines",
        "processors": [{"json": entry}, {"script": script}],
        "on_failure": [failed],
    }


def template(env: Environment) -> dict[str, Any]:
    """Indices of the stream: one copy, since the log store has the lines too. Settings are text, as they are read."""
    index = {
        "lifecycle": {"name": NAME},
        "default_pipeline": NAME,
        "number_of_shards": "1",
        "number_of_replicas": "0",
        "refresh_interval": "5s",
        "mapping": {"ignore_malformed": "true"},  # one field is not found, and the line is
    }
    return {
        "index_patterns": [env.catalogue.operations.logging.index_pattern],
        "priority": PRIORITY,
        "data_stream": {},
        "template": {"settings": {"index": index}, "mappings": {"dynamic": "false", "properties": properties(env)}},
    }


def properties(env: Environment) -> dict[str, Any]:
    """The types of fields: the catalogue's, those of the journal, and the rest of an entry, which is only kept."""
    fields = {name: TYPES.get(name, KEYWORD) for name in env.catalogue.operations.logging.fields}
    added = dict.fromkeys(ADDED, KEYWORD)
    rest = {"details": {"type": "object", "enabled": False}, "unparsed": {"type": "boolean"}}
    return {"@timestamp": {"type": "date"}, **fields, **added, **rest}
