"""The log forwarder of one host: a program of ours that reads the journal and sends it to the log store.

systemd-journal-upload of Debian sends a journal as it is. The fields by which operators look for lines are in the
messages of services; this program makes them fields of the journal (host/fields.py).
"""

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, File, Unit
from nexus.plan.sent import program
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.log_store.plan import server

LIBRARY = "/usr/local/lib/nexus-cos/log-forwarder"
PROGRAM = "roles.log_forwarder.host.forward"  # the module that the unit runs
UNIT = "nexus-log-forwarder"
UNIT_FILE = f"/etc/systemd/system/{UNIT}.service"
DIRECTORY = f"/var/lib/{UNIT}"  # where it keeps what it has sent


def plan(env: Environment, host: Host) -> Desired:
    """The program and its unit; nothing in an environment without a log store."""
    store = server(env)
    if not store:
        return Desired()
    files = [File(f"{LIBRARY}/{path}", text) for path, text in program([PROGRAM]).items()]
    words = (store.name, store.address, store.setting.log_store_port, CA, LEAF, KEY, DIRECTORY)
    unit = env.render(
        "log_forwarder/service.j2",
        library=LIBRARY,
        program=PROGRAM,
        words=words,
        group=KEY_GROUP,
        directory=DIRECTORY.rpartition("/")[2],
    )
    paths = (UNIT_FILE, *(file.path for file in files))
    return Desired(
        packages=("python3",), files=(*files, File(UNIT_FILE, unit)), units=(Unit(f"{UNIT}.service", restart_on=paths),)
    )
