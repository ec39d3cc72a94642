"""Runs on a host that makes backups: what its own tools and records tell."""

import base64
import glob
import hashlib
import json
import os
import pwd
import subprocess


def ask(request):
    """{"records": {kind: record}, "secrets": base64 of the file, "systems": saved, "system": the one that runs, "copy":
    about the copy of all buckets}.
    """
    found: dict = {"records": {}}
    for path in glob.glob(f"{request['records']}/*.json"):
        with open(path) as stream:
            record = json.load(stream)
        if "kind" in record:
            found["records"][record["kind"]] = {**record, "mode": oct(os.stat(path).st_mode & 0o777)}
    if os.path.exists(request["secrets"]):
        with open(request["secrets"], "rb") as stream:
            found["secrets"] = base64.b64encode(stream.read()).decode()
    if request["copy"]:
        found["copy"] = copied(request["copy"])
    if request["stanza"]:
        told = json.loads(postgres(["pgbackrest", f"--stanza={request['stanza']}", "--output=json", "info"]))
        found["systems"] = [str(entry["system-id"]) for stanza in told for entry in stanza.get("db", [])]
        found["ciphers"] = [stanza.get("cipher") for stanza in told]
        control = postgres([f"{request['programs']}/pg_controldata", "-D", request["data"]])
        lines = [line.split(":", 1)[1].strip() for line in control.splitlines() if "system identifier" in line]
        found["system"] = lines[0]
    return found


def copied(directory):
    """{"server": its mark, "objects": how many, "damaged": files that are not as long as the index says, "mode"}."""
    try:
        with open(f"{directory}/index.json") as stream:
            index = json.load(stream)
        with open(f"{directory}/server") as stream:
            server = stream.read()
    except FileNotFoundError:
        return {}
    entries = [(f"{bucket}/{key}", entry) for bucket, known in index["buckets"].items() for key, entry in known.items()]
    damaged = []
    for name, entry in entries:
        file = hashlib.sha256(name.encode()).hexdigest()
        path = f"{directory}/objects/{file[:2]}/{file}"
        if not os.path.exists(path) or os.path.getsize(path) != entry["bytes"]:
            damaged.append(name)
    mode = oct(os.stat(directory).st_mode & 0o777)
    return {"server": server, "objects": len(entries), "damaged": damaged, "mode": mode}


def postgres(argv):
    account = pwd.getpwnam("postgres")
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=60, cwd="/", user=account.pw_uid, group=account.pw_gid,
        extra_groups=os.getgrouplist("postgres", account.pw_gid),
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{argv[0]} ended with {done.returncode}: {done.stderr[-300:]}")
    return done.stdout
