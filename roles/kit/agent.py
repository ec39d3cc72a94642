"""What runs on a host: answers a probe, carries out a step. Standard library of Python 3.11 alone.

The kit sends this file and one request over standard input, so nothing is installed on a host and no
secret is ever an argument. A role's own host-side code (State.source) is run with `run` at hand.
Nothing here knows any one role.
"""

import base64
import contextlib
import grp
import hashlib
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import zlib

STATE = "/var/lib/nexus-cos"
MANIFEST = f"{STATE}/manifest"
STAMP = "/run/nexus-cos/stamp"
PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload", "Type", "Result")


class RemoteError(Exception):
    """A step that could not be carried out; its text is shown to the operator."""


def run(argv, input=None, user=None, timeout=60, env=None):
    """Standard output of a command; RemoteError with its last lines when it fails."""
    command = ["runuser", "-u", user, "--", *argv] if user else list(argv)
    try:
        done = subprocess.run(
            command,
            input=input,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd="/",
            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **(env or {})},
        )
    except FileNotFoundError:
        raise RemoteError(f"{argv[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise RemoteError(f"{' '.join(argv[:3])} did not end within {timeout} s") from None
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-12:]
        raise RemoteError(f"{' '.join(argv[:3])} ended with {done.returncode}: " + "\n".join(lines))
    return done.stdout


def digest(path):
    """SHA-256 of a file's content, None when it is not there."""
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


# Probe


def probe(question):
    """Answer for everything that the question names."""
    return {
        "paths": {path: look(path) for path in question["paths"]},
        "packages": packages(question["packages"]),
        "units": units(question["units"]),
        "users": {name: groups_of(name) for name in question["users"]},
        "groups": [name for name in question["groups"] if group_exists(name)],
        "states": {name: ask(name, wanted) for name, wanted in question["states"].items()},
        "checks": {role: refusal(command) for role, command in question["checks"].items()},
        "manifest": {
            name[:-5]: read_manifest(name[:-5]) for name in listing(MANIFEST) if name.endswith(".json")
        },
    }


def traits():
    """What plans must know of a host and cannot choose."""
    with open("/proc/meminfo") as stream:
        memory = int(stream.readline().split()[1]) * 1024
    with open("/proc/net/route") as stream:
        routes = [line.split() for line in stream][1:]
    device = next((route[0] for route in routes if route[1] == "00000000"), None)
    mtu = 1500
    if device:
        with open(f"/sys/class/net/{device}/mtu") as stream:
            mtu = int(stream.read())
    controllers = ""
    with contextlib.suppress(OSError), open("/sys/fs/cgroup/cgroup.controllers") as stream:
        controllers = stream.read()
    return {
        "cpus": os.cpu_count() or 1,
        "memory_bytes": memory,
        "mtu": mtu,
        "gpus": len([name for name in listing("/dev") if name.startswith("nvidia") and name[6:].isdigit()]),
        "architecture": os.uname().machine,
        "docker": {name: name in controllers.split() for name in ("memory", "cpu")},
    }


def look(path):
    """[kind, mode, owner, group, digest or target] of a path, None when nothing is there."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    kind = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}.get(
        stat.S_IFMT(found.st_mode)
    )
    content = digest(path) if kind == "file" else os.readlink(path) if kind == "link" else None
    return [
        kind or "other",
        stat.S_IMODE(found.st_mode),
        user_name(found.st_uid),
        group_name(found.st_gid),
        content,
    ]


def user_name(number):
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)


def group_name(number):
    with contextlib.suppress(KeyError):
        return grp.getgrgid(number).gr_name
    return str(number)


def group_exists(name):
    with contextlib.suppress(KeyError):
        return bool(grp.getgrnam(name))
    return False


def groups_of(name):
    """Supplementary groups of an account, None when there is no such account."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return None
    return [entry.gr_name for entry in grp.getgrall() if name in entry.gr_mem]


def packages(wanted):
    """State of the wanted packages by name; those that dpkg does not know are left out."""
    if not wanted:
        return {}
    lines = run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"]).splitlines()
    states = dict(line.split() for line in lines)
    return {name: states[name] for name in wanted if name in states}


def units(wanted):
    """Properties of each unit, and the stamp of what it was started with."""
    if not wanted:
        return {}
    output = run(["systemctl", "show", f"--property={','.join(PROPERTIES)}", "--", *wanted])
    found = {}
    for name, block in zip(wanted, output.strip().split("\n\n"), strict=True):
        found[name] = dict(line.split("=", 1) for line in block.splitlines())
        found[name]["stamp"] = read_stamp(name)
    return found


def read_stamp(unit):
    """{path: digest} of what the unit runs with, None when it was never stamped."""
    try:
        with open(f"{STAMP}/{unit}") as stream:
            return {line[66:].rstrip("\n"): line[:64] for line in stream}
    except FileNotFoundError:
        return None


def ask(name, wanted):
    """The role's own answer about its state; an error is an answer too, for the operator to see."""
    try:
        return {"items": load(name, wanted["source"])["probe"](wanted["names"], wanted["context"])}
    except Exception as error:
        return {"items": {}, "error": f"{type(error).__name__}: {error}"}


def refusal(command):
    """Why a role cannot work on this host, None when it can."""
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60, cwd="/")
    return (
        (done.stdout.strip() or done.stderr.strip() or "refused without a reason")
        if done.returncode
        else None
    )


def load(name, source):
    scope = {"__name__": f"nexus_{name}", "run": run, "RemoteError": RemoteError}
    exec(compile(source, f"<{name}>", "exec"), scope)
    return scope


def listing(directory):
    with contextlib.suppress(FileNotFoundError):
        return sorted(os.listdir(directory))
    return []


def read_manifest(role):
    try:
        with open(f"{MANIFEST}/{role}.json") as stream:
            return json.load(stream)
    except (FileNotFoundError, ValueError):
        return {}


def contents(wanted):
    """Text of files for a diff; what is no text or too long is left out."""
    found = {}
    for path in wanted:
        with contextlib.suppress(OSError, UnicodeDecodeError), open(path) as stream:
            text = stream.read(200_000)
            found[path] = text
    return found


# Steps


def write_atomic(path, data, mode=0o600, owner="root", group="root"):
    """Write beside the target in a private file, then rename: nobody ever sees half of it."""
    directory = os.path.dirname(path)
    handle, name = tempfile.mkstemp(dir=directory, prefix=".nexus-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        shutil.chown(name, owner, group)
        os.chmod(name, mode)
        if os.path.isdir(path) and not os.path.islink(path):
            raise RemoteError(f"{path} is a directory and should be a file: move it away")
        os.rename(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def step_record(request):
    """Note what is about to become ours, before it is made: a kill in between leaves nothing unknown."""
    os.makedirs(MANIFEST, mode=0o700, exist_ok=True)
    role, planned = request["role"], request["manifest"]
    recorded = read_manifest(role)
    for kind, names in planned.items():
        entries = recorded.setdefault(kind, {})
        for name in names:
            entries.setdefault(name, not there(kind, name))
    write_atomic(f"{MANIFEST}/{role}.json", json.dumps(recorded, indent=1, sort_keys=True).encode())


def there(kind, name):
    """Whether an item was on the host before us; then it is never removed."""
    if kind in ("files", "directories", "links"):
        return os.path.lexists(name)
    if kind == "users":
        return groups_of(name) is not None
    if kind == "groups":
        return group_exists(name)
    if kind == "units":
        return units([name])[name]["UnitFileState"] == "enabled"
    return False


def step_files(request):
    for item in request["directories"]:
        if os.path.lexists(item["path"]) and not os.path.isdir(item["path"]):
            raise RemoteError(f"{item['path']} should be a directory but is none: move it away")
        os.makedirs(item["path"], exist_ok=True)
        shutil.chown(item["path"], item["owner"], item["group"])
        os.chmod(item["path"], item["mode"])
    for item in request["files"]:
        os.makedirs(os.path.dirname(item["path"]), exist_ok=True)
        write_atomic(item["path"], base64.b64decode(item["data"]), item["mode"], item["owner"], item["group"])
    for item in request["links"]:
        os.makedirs(os.path.dirname(item["path"]), exist_ok=True)
        temporary = f"{item['path']}.nexus-new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        os.symlink(item["target"], temporary)
        os.rename(temporary, item["path"])
    for path in request["absent"]:
        remove(path)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        with contextlib.suppress(OSError):  # a directory that is in use by others stays
            os.rmdir(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def step_packages(request):
    options = ["-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
    options += ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
    if run(["dpkg", "--audit"]).strip():  # an earlier run died inside dpkg
        run(["dpkg", "--configure", "-a", "--force-confdef", "--force-confold"], timeout=900)
    install = ["apt-get", "install", *options, *request["packages"]]
    fresh = listing("/var/lib/apt/lists")
    if request["update"] or len(fresh) < 4:
        run(["apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=300"], timeout=300)
    try:
        run(install, timeout=1800)
    except RemoteError:  # lists may be older than the archive
        run(["apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=300"], timeout=300)
        run([*install, "--fix-broken"], timeout=1800)


def step_accounts(request):
    for name in request["groups"]:
        run(["groupadd", "--system", name])
    for user in request["users"]:
        if groups_of(user["name"]) is None:
            argv = ["useradd", "--shell", user["shell"], *(["--system"] if user["system"] else [])]
            argv += ["--home-dir", user["home"]] if user["home"] else []
            argv += ["--create-home"] if user["home"] and not user["system"] else []
            run([*argv, user["name"]])
        missing = set(user["groups"]) - set(groups_of(user["name"]))
        for group in sorted(missing):
            run(["usermod", "--append", "--groups", group, user["name"]])


def step_units(request):
    run(["systemctl", "daemon-reload"])
    for unit in request["units"]:
        name = unit["name"]
        if unit["masked"]:
            run(["systemctl", "mask", "--now", name])
            continue
        if unit["enable"]:
            run(["systemctl", "enable", name])
        if unit["disable"]:
            run(["systemctl", "disable", name])
        if not unit["running"]:
            run(["systemctl", "stop", name], timeout=180)
            continue
        settle(unit)


def settle(unit):
    """Make the unit run with what lies on disk, by the gentlest way that does it."""
    name = unit["name"]
    now = {path: digest(path) for path in [*unit["restart_on"], *unit["reload_on"]]}
    now = {path: value for path, value in now.items() if value}
    stamp = read_stamp(name)
    active = units([name])[name]["ActiveState"] in ("active", "reloading")

    def differs(paths):
        return stamp is None or any(stamp.get(path) != now.get(path) for path in paths)

    stamped = bool(unit["restart_on"] or unit["reload_on"])
    if active and not (stamped and (differs(unit["restart_on"]) or differs(unit["reload_on"]))):
        return
    if unit["reload_check"] and os.path.exists("/run/systemd/system"):
        run(["/bin/sh", "-c", unit["reload_check"]])
    if active and stamped and not differs(unit["restart_on"]):
        run(["systemctl", "reload", name], timeout=180)
        write_stamp(name, now)
    else:
        run(["systemctl", "reset-failed", name]) if units([name])[name]["ActiveState"] == "failed" else None
        try:
            run(["systemctl", "restart", name], timeout=300)
        except RemoteError as error:
            log = run(["journalctl", "--no-pager", "-q", "-n", "15", "-o", "cat", "-u", name])
            raise RemoteError(f"{error}\nlast lines of its log:\n{log}") from None
    if units([name])[name]["ActiveState"] not in ("active", "reloading", "activating"):
        log = run(["journalctl", "--no-pager", "-q", "-n", "15", "-o", "cat", "-u", name])
        raise RemoteError(f"{name} does not run; last lines of its log:\n{log}")
    if unit["ready_check"]:
        wait_ready(unit)


def wait_ready(unit):
    """Wait for up to a minute until a unit that was started does its work."""
    deadline = time.monotonic() + 60
    while True:
        reason = refusal(unit["ready_check"])
        if reason is None:
            return
        if time.monotonic() > deadline:
            raise RemoteError(f"{unit['name']} runs but is not ready after 60 s: {reason}")
        time.sleep(0.5)


def write_stamp(unit, now):
    os.makedirs(STAMP, exist_ok=True)
    write_atomic(f"{STAMP}/{unit}", "".join(f"{now[path]}  {path}\n" for path in sorted(now)).encode(), 0o644)


def step_state(request):
    load(request["name"], request["source"])["apply"](
        request["items"], request["changed"], request["removed"], request["context"], request["payload"]
    )


def step_forget(request):
    """Remove what an earlier run made and the plan no longer names, then record exactly the plan."""
    role, planned = request["role"], request["manifest"]
    recorded = read_manifest(role)

    def gone(kind):
        return [
            name
            for name, ours in recorded.get(kind, {}).items()
            if ours and name not in planned.get(kind, [])
        ]

    for name in gone("units"):
        if units([name])[name]["LoadState"] == "loaded":
            run(["systemctl", "disable", "--now", name], timeout=180)
        remove(f"{STAMP}/{name}")
    for path in gone("files") + gone("links") + sorted(gone("directories"), key=len, reverse=True):
        remove(path)
    if gone("units") or gone("files"):
        run(["systemctl", "daemon-reload"])
    for name in gone("users"):
        if groups_of(name) is not None:
            run(["userdel", name])
    for name in gone("groups"):
        if group_exists(name):
            run(["groupdel", name])
    if not any(planned.values()):
        remove(f"{MANIFEST}/{role}.json")
        return
    kept = {
        kind: {name: recorded.get(kind, {}).get(name, False) for name in names}
        for kind, names in planned.items()
    }
    write_atomic(f"{MANIFEST}/{role}.json", json.dumps(kept, indent=1, sort_keys=True).encode())


def main():
    """Read one request from standard input, print one line of JSON for a question, nothing for a step."""
    os.umask(0o022)
    request = json.loads(zlib.decompress(base64.b64decode(sys.stdin.readline())))
    try:
        if request["do"] == "probe":
            print(json.dumps(probe(request)))
        elif request["do"] == "traits":
            print(json.dumps(traits()))
        elif request["do"] == "contents":
            print(json.dumps(contents(request["paths"])))
        elif request["do"] == "ask":
            print(json.dumps(ask("ask", request)))
        else:
            globals()[f"step_{request['do']}"](request)
    except RemoteError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


main()
