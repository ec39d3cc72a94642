"""Prints everything that a run deploys on this host, as the host's own programs report it, for comparison.

Values that always differ between runs are left out: times, counters, process ids.
"""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import urllib.request

PLACES = ("/etc", "/usr/local", "/var/lib/nexus-cos", "/root")
RUNS = "/var/lib/nexus-cos"  # these record runs, hourly backups and daily cleanups, and so differ after every run
LATER = (f"{RUNS}/record", f"{RUNS}/backup", f"{RUNS}/docker/image-use.json")
PREPARED = "/etc/nexus-cos/tls/prepared.json"
SKIPPED = {"/etc/resolv.conf", "/etc/ld.so.cache", "/etc/mtab", f"{RUNS}/fence.json", f"{RUNS}/lock.json"}


def said(*words, text=None, user=None):
    if not shutil.which(words[0]):
        return "absent"
    command = ["runuser", "-u", user, "--", *words] if user else words
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd="/")
    return done.stdout if done.returncode == 0 else f"failed: {done.stderr}"


def files():
    found = {}
    for place in PLACES:
        for directory, folders, names in os.walk(place):
            for name in [*folders, *names]:
                path = os.path.join(directory, name)
                if path not in SKIPPED and not path.startswith(LATER):
                    found[path] = look(path)
    return found


def look(path):
    about = os.lstat(path)
    content = ""
    if stat.S_ISLNK(about.st_mode):
        content = os.readlink(path)
    elif path == PREPARED:  # the number of leaves depends on the day on which they were made
        with open(path) as stream:
            content = json.load(stream)["identity"]
    elif stat.S_ISREG(about.st_mode):
        with open(path, "rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
    return f"{about.st_mode:o} {about.st_uid}:{about.st_gid} {content}"


def stale():
    """Units that run with another file than the one on disk, according to their stamps."""
    found = []
    directory = "/run/nexus-cos/stamp"
    for unit in sorted(os.listdir(directory) if os.path.isdir(directory) else []):
        with open(f"{directory}/{unit}") as stamp:
            for line in stamp:
                digest, path = line.rstrip("\n").split("  ", 1)
                if not os.path.exists(path) or look(path).split()[-1] != digest:
                    found.append(f"{unit} {path}")
    return found


def redis():
    """Settings and users of both servers. Replication is left to the Sentinels."""
    try:
        with open("/etc/redis/admin.password") as stream:
            password = stream.read().strip()
    except FileNotFoundError:
        return None
    environment = {**os.environ, "REDISCLI_AUTH": password}

    def reply(name, *words):
        ask = ("redis-cli", "-s", f"/run/{name}/redis.sock", "--user", "nexus-admin", "--no-auth-warning")
        return subprocess.run([*ask, *words], capture_output=True, text=True, env=environment).stdout.splitlines()

    def settings(name):
        lines = reply(name, "CONFIG", "GET", "*")
        found = dict(zip(lines[::2], lines[1::2], strict=True))
        return {key: value for key, value in found.items() if key not in ("replicaof", "slaveof")}

    return {name: {"config": settings(name), "acl": reply(name, "ACL", "LIST")} for name in ("redis", "redis-cache")}


def postgresql():
    if not os.path.isdir("/etc/postgresql"):
        return None
    queries = {
        "settings": "select name, setting from pg_settings where context <> 'internal' and name not in "
        "('primary_conninfo', 'primary_slot_name', 'synchronous_standby_names', 'transaction_read_only') order by name",
        "pending": "select name from pg_settings where pending_restart",
        "not applied": "select name from pg_file_settings where error is not null",
        "roles": "select rolname, rolcanlogin, rolconnlimit, rolpassword from pg_authid order by rolname",
        "members": "select roleid::regrole::text, member::regrole::text from pg_auth_members order by 1, 2",
        "databases": "select datname, pg_get_userbyid(datdba), datacl from pg_database order by datname",
        "first schemas": "select datname, split_part(c, ' ', 1), split_part(c, ' ', 3) from pg_database d "
        "join pg_db_role_setting s on s.setdatabase = d.oid, unnest(s.setconfig) c where s.setrole = 0 order by 1",
        "access": "select type, database, user_name, address, auth_method from pg_hba_file_rules",
    }
    return {name: said("psql", "-XAtc", query, user="postgres").splitlines() for name, query in queries.items()}


def rabbitmq():
    if not os.path.isdir("/etc/rabbitmq"):
        return None
    definitions = json.loads(said("rabbitmqctl", "-q", "export_definitions", "-"))
    definitions.pop("rabbitmq_version", None)
    keep = ("users", "vhosts", "permissions", "policies", "global_parameters", "parameters")
    return {
        "definitions": {name: sorted(map(json.dumps, definitions.get(name, []))) for name in keep},
        "limit": said("rabbitmqctl", "-q", "eval", "rabbit_disk_monitor:get_disk_free_limit()."),
        "memory": said("rabbitmqctl", "-q", "eval", "vm_memory_monitor:get_vm_memory_high_watermark()."),
    }


def docker():
    if not os.path.exists("/run/docker.sock"):
        return None
    information = json.loads(said("docker", "info", "--format", "json"))
    kept = ("Driver", "LoggingDriver", "DockerRootDir", "DefaultAddressPools", "LiveRestoreEnabled", "Name")
    found = {"info": {name: information.get(name) for name in kept}}
    swarm = information["Swarm"]
    found["swarm"] = {name: swarm.get(name) for name in ("LocalNodeState", "ControlAvailable", "NodeAddr")}
    found["cluster"] = (swarm.get("Cluster") or {}).get("Spec", {}).get("Dispatcher")
    services = said("docker", "service", "ls", "-q").split() if swarm.get("ControlAvailable") else []
    if services:
        specs = json.loads(said("docker", "service", "inspect", *services))
        for spec in specs:
            spec["Spec"]["TaskTemplate"].pop("ForceUpdate", None)
            spec["Spec"]["TaskTemplate"].get("Networks", [{}])[0].pop("Target", None)
            for secret in spec["Spec"]["TaskTemplate"]["ContainerSpec"].get("Secrets") or []:
                secret.pop("SecretID", None)
        found["services"] = {spec["Spec"]["Name"]: json.dumps(spec["Spec"], sort_keys=True) for spec in specs}
        nodes = json.loads(said("docker", "node", "inspect", *said("docker", "node", "ls", "-q").split()))
        found["nodes"] = {node["Description"]["Hostname"]: node["Spec"] for node in nodes}
    return found


def proxy(port, path, header, directory, text=""):
    """A proxy reports the hash of its configuration, which is also in its configuration files."""
    if not os.path.isdir(directory):
        return None
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
            runs = reply.headers.get(header) if header else reply.read().decode()
    except OSError as error:
        return {"text": text, "runs with what is on disk": False, "why": str(error)}
    found = said("grep", "-rlF", runs, directory) if runs else ""
    return {"text": text, "runs": runs, "runs with what is on disk": directory in found}


asked = json.loads("ARGUMENT")
nginx = hashlib.sha256(said("nginx", "-T").encode()).hexdigest()
print(
    json.dumps(
        {
            "files": files(),
            "stale": stale(),
            "packages": said("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n").splitlines(),
            "failed units": said("systemctl", "--failed", "--plain", "--no-legend").splitlines(),
            "redis": redis(),
            "postgresql": postgresql(),
            "rabbitmq": rabbitmq(),
            "docker": docker(),
            "nginx": proxy(asked["nginx"], "/config", None, "/etc/nginx/nexus-cos", nginx),
            "router": proxy(asked["router"], "/health", "X-Router-Config", "/etc/nexus-cos/router"),
        }
    )
)
