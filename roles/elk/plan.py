"""Elasticsearch, Kibana and Filebeat on the first ops host, on loopback: what the log store has can be searched.

Filebeat reads the journals that hosts sent to the log store. Elasticsearch makes fields of each line (search.py) and
keeps them for the catalogue's days. Kibana shows the dashboards of saved.py. One node has one copy: the journals of the
log store are the other.

Any environment can plan and render it. It is carried out only where the host reaches the vendor's repository and the
project has the vendor's signing key.
"""

import json
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.generated import generated
from nexus.environment.vendor_key import signing_key
from nexus.plan.desired import Desired, Directory, File, State, Unit, User
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.elk import account, program, saved, search
from roles.log_store.plan import DIRECTORY, server

KEYRING = "/usr/share/keyrings/elk.asc"
SOURCES = "/etc/apt/sources.list.d/elk.sources"
PIN = "/etc/apt/preferences.d/elk"
PACKAGES = ("elasticsearch", "kibana", "filebeat")
ELASTICSEARCH, KIBANA, FILEBEAT = "/etc/elasticsearch", "/etc/kibana", "/etc/filebeat"
CONFIG = f"{ELASTICSEARCH}/elasticsearch.yml"
HEAP = f"{ELASTICSEARCH}/jvm.options.d/nexus-cos.options"
USERS, USERS_ROLES = f"{ELASTICSEARCH}/users", f"{ELASTICSEARCH}/users_roles"
ACCESS = f"{ELASTICSEARCH}/roles.yml"
TLS = "tls"  # below its directory: Elasticsearch reads no certificate from anywhere else
KIBANA_CONFIG, KIBANA_SECRETS = f"{KIBANA}/kibana.yml", f"{KIBANA}/nexus-cos.env"
FILEBEAT_CONFIG, FILEBEAT_SECRETS = f"{FILEBEAT}/filebeat.yml", f"{FILEBEAT}/nexus-cos.env"
JOURNALCTL = "/usr/local/lib/nexus-cos/elk/journalctl"


def plan(env: Environment, host: Host) -> Desired:
    """Plan the vendor's packages with our files; nothing while `elk_enabled` is off, or on another ops host."""
    if not host.setting.elk_enabled or host != server(env):
        return Desired()
    return Desired(
        early=(
            File(KEYRING, signing_key(env, "Elastic", "elk", "set elk_enabled to False")),
            File(SOURCES, env.render("elk/elk.sources.j2", keyring=KEYRING)),
            File(PIN, env.render("elk/preferences.j2", packages=PACKAGES)),
            # The package makes certificates and a password of its own unless it finds security configured.
            File(CONFIG, generated(program.elasticsearch(env, host, TLS))),
        ),
        packages=PACKAGES,
        users=(User("kibana", groups=(KEY_GROUP,)),),
        directories=(Directory(ELASTICSEARCH, group="elasticsearch", mode=0o2750),),
        files=(*_elasticsearch(env), *_kibana(env), *_filebeat(env)),
        units=(
            Unit("elasticsearch", restart_on=(CONFIG, HEAP, _drop_in("elasticsearch"), CA, LEAF, KEY)),
            Unit("kibana", restart_on=(KIBANA_CONFIG, KIBANA_SECRETS, _drop_in("kibana"), CA, LEAF, KEY)),
            Unit("filebeat", restart_on=(FILEBEAT_CONFIG, FILEBEAT_SECRETS, JOURNALCTL, _drop_in("filebeat"), CA)),
        ),
        states=_states(env),
    )


def preflight(env: Environment, host: Host) -> str | None:
    """A shell command that exits with 1 and the reason if a package is missing and cannot be fetched."""
    if not host.setting.elk_enabled or host != server(env):
        return None
    url = f"{env.setting.elk_apt_url}/dists/stable/InRelease"
    return env.render("elk/preflight.sh.j2", url=url, host=host, packages=PACKAGES)


def _elasticsearch(env: Environment) -> list[File]:
    drop_in = env.render("elk/elasticsearch.conf.j2", directory=f"{ELASTICSEARCH}/{TLS}", files=(CA, LEAF, KEY))
    pattern = env.catalogue.operations.logging.index_pattern
    return [
        File(HEAP, env.render("elk/heap.options.j2")),
        File(_drop_in("elasticsearch"), drop_in),
        # It reads these again by itself within seconds.
        File(USERS, account.users(env), group="elasticsearch", mode=0o640, secret=True),
        File(USERS_ROLES, account.users_roles(), group="elasticsearch", mode=0o640),
        File(ACCESS, generated(account.roles(pattern)), group="elasticsearch", mode=0o640),
    ]


def _kibana(env: Environment) -> list[File]:
    secrets = {"KIBANA_PASSWORD": env.secret("elk/kibana"), "KIBANA_ENCRYPTION_KEY": env.secret("elk/encryption")}
    return [
        File(KIBANA_CONFIG, generated(program.kibana(env))),
        File(KIBANA_SECRETS, _environment(secrets), mode=0o400, secret=True),
        File(_drop_in("kibana"), env.render("elk/kibana.conf.j2", secrets=KIBANA_SECRETS)),
    ]


def _filebeat(env: Environment) -> list[File]:
    drop_in = env.render("elk/filebeat.conf.j2", secrets=FILEBEAT_SECRETS, programs=JOURNALCTL.rpartition("/")[0])
    secrets = {"FILEBEAT_PASSWORD": env.secret("elk/filebeat")}
    return [
        File(FILEBEAT_CONFIG, generated(program.filebeat(env, DIRECTORY)), mode=0o600),
        File(FILEBEAT_SECRETS, _environment(secrets), mode=0o400, secret=True),
        File(JOURNALCTL, env.render("elk/journalctl.sh.j2"), mode=0o755),
        File(_drop_in("filebeat"), drop_in),
    ]


def _states(env: Environment) -> tuple[State, State]:
    folder, lines, shown = Path(__file__).parent / "host", search.items(env), saved.objects(env)
    digests = {f"{one['type']} {one['id']}": {"plan": saved.mark(one)} for one in shown}
    return (
        State(
            "elasticsearch", folder / "state.py", lines, context={**_context(env, "elasticsearch"), "planned": lines}
        ),
        State(
            "kibana",
            folder / "kibana.py",
            digests,
            context=_context(env, "kibana"),
            payload={"objects": saved.ndjson(shown)},
        ),
    )


def _context(env: Environment, name: str) -> dict[str, Any]:
    return {
        "program": name.capitalize(),
        "unit_file": _drop_in(name),
        "port": env.setting[f"{name}_port"],
        "ca": CA,
        "user": account.ADMIN,
        "passwords": env.secrets.accepted(account.SECRETS[account.ADMIN]),
    }


def _drop_in(unit: str) -> str:
    return f"/etc/systemd/system/{unit}.service.d/10-nexus-cos.conf"


def _environment(values: dict[str, str]) -> str:
    """A file of variables for systemd."""
    return "".join(f"{name}={json.dumps(value)}\n" for name, value in values.items())
