"""Runs programs in containers of services on this host, as the service runs: its user, namespaces and environment.

Prints a list with {"status", "stdout", "stderr"} of each program. An archive is unpacked at /mnt in a mount namespace
of the program alone, so nothing of it remains. A program that names an environment gets that one.
"""

import base64
import json
import os
import subprocess

asked = json.loads("ARGUMENT")
archive = base64.b64decode(asked["archive"])
UNPACKED = 'mount -t tmpfs drivers /mnt; tar xzC /mnt; exec "$@" </dev/null'


def said(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()


def child(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as stream:
        return stream.read().split()[0]


def command_of(service):
    """The process id of the command that a container's entry point started."""
    found = said("docker", "ps", "--quiet", "--filter", f"label=nexus.service={service}")
    return child(child(said("docker", "inspect", "--format", "{{.State.Pid}}", found[0])[0]))


def environment(pid):
    with open(f"/proc/{pid}/environ", "rb") as stream:
        return dict(entry.split(b"=", 1) for entry in stream.read().split(b"\0") if entry)


def run(program):
    pid = command_of(program["service"])
    user = os.stat(f"/proc/{pid}").st_uid
    words = ["/usr/bin/nsenter", "--target", str(pid), "--mount", "--net", "--pid", "--ipc", "--uts"]
    words += ["unshare", "--mount", "sh", "-ec", UNPACKED, "sh"]
    words += ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs", *program["command"]]
    done = subprocess.run(
        words, input=archive, env=program["environment"] or environment(pid), capture_output=True, timeout=120
    )
    return {"status": done.returncode, "stdout": done.stdout.decode(), "stderr": done.stderr.decode()[-2000:]}


print(json.dumps([run(program) for program in asked["programs"]]))
