"""Runs on the host of the object storage: its buckets, and how strangers and services fare.

The request brings the project's own client along, as [[module, source], ...].
"""

import http.client
import ssl
import subprocess
import sys
import types


def ask(request):
    """What there is to say, `versioned` by bucket and `services` by key."""
    client = library(request["modules"])
    access, services = request["access"], request["services"]

    def told(do, **other):
        bucket = client.Bucket({**access, **other}, attempts=1)
        try:
            return f"let in: {do(bucket)}"
        except Exception as error:
            return str(error)

    def said(**other):
        return told(lambda bucket: list(bucket.list())[:1], **other)

    def fares(own):
        name = f"nexus-verify-{own['key']}"
        return {
            "own bucket": told(lambda bucket: (bucket.put(name, b"x"), bucket.get(name), erase(bucket, name)), **own),
            "with a wrong secret": said(**{**own, "secret": "wrong"}),
            "its versioning": told(lambda bucket: bucket.set_versioned(), **own),  # as it is: asked, not changed
            "others": {name: said(**{**own, "bucket": name}) for name in names if name != own["bucket"]},
        }

    def erase(bucket, name):
        for key, version, _, _ in list(bucket.versions(name)):
            bucket.delete(key, version)

    names = sorted({access["bucket"], *(own["bucket"] for own in services.values())})
    owners = {own["bucket"]: own for own in services.values()} | {access["bucket"]: access}
    return {
        "release": subprocess.run([request["program"], "version"], capture_output=True, text=True).stdout,
        "versioned": {name: client.Bucket(own, attempts=1).versioned() for name, own in owners.items()},
        "mark": (client.Bucket(access, attempts=1).find(request["mark"]) or b"").decode(),
        "stranger": plain(access, ssl.create_default_context(cafile=access["ca"])),
        "wrong key": said(secret="wrong"),
        "another bucket": said(bucket="another"),
        "without TLS": plain(access, None),
        "services": {key: fares(own) for key, own in services.items()},
    }


def library(modules):
    """The last of these modules, made here."""
    for name, source in modules:
        for depth in range(1, name.count(".") + 1):
            parent = ".".join(name.split(".")[:depth])
            sys.modules.setdefault(parent, types.ModuleType(parent))
        module = sys.modules[name] = types.ModuleType(name)
        exec(compile(source, f"<{name}>", "exec"), module.__dict__)
    return module


def plain(access, context):
    """Status of a request without any key, or why there is none."""
    place = (access["endpoint"], access["port"])
    connection = http.client.HTTPConnection(*place, timeout=10)
    if context:
        connection = http.client.HTTPSConnection(*place, timeout=10, context=context)
    try:
        connection.request("GET", f"/{access['bucket']}?list-type=2")
        answer = connection.getresponse()
        return [answer.status, answer.read(2000).decode(errors="replace")]
    except (OSError, http.client.HTTPException) as error:
        return [0, f"{type(error).__name__}: {error}"]
    finally:
        connection.close()
