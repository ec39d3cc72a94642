"""The configuration of the three programs. They listen on loopback and call nobody."""

from typing import Any

from nexus.environment.environment import Environment, Host
from roles.certificate.plan import CA, KEY, LEAF
from roles.elk import account, search

LOCAL = "127.0.0.1"


def elasticsearch(env: Environment, host: Host, tls: str) -> dict[str, Any]:
    """elasticsearch.yml: one node, TLS with copies of the host's leaf, users from files alone."""
    names = {"key": "leaf.key", "certificate": "leaf.pem"}
    leaf: dict[str, Any] = {"enabled": True, **{name: f"{tls}/{file}" for name, file in names.items()}}
    leaf["certificate_authorities"] = [f"{tls}/ca.pem"]
    return {
        "cluster.name": f"nexus-cos-{env.name}",
        "node.name": host.name,
        "path.data": "/var/lib/elasticsearch",
        "path.logs": "/var/log/elasticsearch",
        "network.host": LOCAL,
        "http.port": env.setting.elasticsearch_port,
        "discovery.type": "single-node",
        "action.destructive_requires_name": True,
        "ingest.geoip.downloader.enabled": False,
        "xpack.ml.enabled": False,
        "xpack.security.enabled": True,
        "xpack.security.http.ssl": leaf,
        "xpack.security.transport.ssl": leaf,
        "xpack.security.authc.realms.file.nexus.order": 0,
        "xpack.security.authc.reserved_realm.enabled": False,
    }


def kibana(env: Environment) -> dict[str, Any]:
    """kibana.yml; its variables are in a file of their own."""
    return {
        "server.host": LOCAL,
        "server.port": env.setting.kibana_port,
        "server.name": "kibana",
        "server.publicBaseUrl": f"https://{LOCAL}:{env.setting.kibana_port}",
        "server.ssl.enabled": True,
        "server.ssl.certificate": LEAF,
        "server.ssl.key": KEY,
        "elasticsearch.hosts": [_address(env)],
        "elasticsearch.username": account.KIBANA,
        "elasticsearch.password": "${KIBANA_PASSWORD}",
        "elasticsearch.ssl.certificateAuthorities": [CA],
        "xpack.encryptedSavedObjects.encryptionKey": "${KIBANA_ENCRYPTION_KEY}",
        "xpack.security.encryptionKey": "${KIBANA_ENCRYPTION_KEY}",
        "telemetry.optIn": False,
        "telemetry.allowChangingOptInStatus": False,
        "newsfeed.enabled": False,
        "path.data": "/var/lib/kibana",
        "pid.file": "/run/kibana/kibana.pid",
    }


def filebeat(env: Environment, journals: str) -> dict[str, Any]:
    """filebeat.yml: all journals of the log store, each line once."""
    same = ["@timestamp", "host.hostname", "journald.pid", "container.id", "message"]
    once = {"fields": same, "target_field": "@metadata._id", "ignore_missing": True}
    return {
        "filebeat.inputs": [{"type": "journald", "id": "log-store", "paths": [journals], "seek": "head"}],
        "processors": [{"fingerprint": once}],  # a host sends a line again if it got no answer
        "output.elasticsearch": {
            "hosts": [_address(env)],
            "username": account.FILEBEAT,
            "password": "${FILEBEAT_PASSWORD}",
            "index": search.stream(env),
            "ssl.certificate_authorities": [CA],
        },
        # A run makes the policy, the pipeline and the template.
        "setup.template.enabled": False,
        "setup.template.name": search.NAME,
        "setup.template.pattern": str(env.catalogue.operations.logging.index_pattern),
        "setup.ilm.enabled": False,
        "logging.level": "warning",
        "logging.to_files": False,
    }


def _address(env: Environment) -> str:
    return f"https://{LOCAL}:{env.setting.elasticsearch_port}"
