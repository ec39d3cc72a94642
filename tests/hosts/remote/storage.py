"""Runs on the host of the object storage: its bucket, and how strangers fare.

The request brings the project's own client along, as [[module, source], ...].
"""

import http.client
import ssl
import subprocess
import sys
import types


def ask(request):
    """{"release", "versioned", "stranger", "wrong key", "another bucket", "without TLS"}."""
    client = library(request["modules"])
    access = request["access"]

    def said(**other):
        try:
            return f"let in: {list(client.Bucket({**access, **other}, attempts=1).list())[:1]}"
        except Exception as error:
            return str(error)

    return {
        "release": subprocess.run([request["program"], "version"], capture_output=True, text=True).stdout,
        "versioned": client.Bucket(access, attempts=1).versioned(),
        "stranger": plain(access, ssl.create_default_context(cafile=access["ca"])),
        "wrong key": said(secret="wrong"),
        "another bucket": said(bucket="another"),
        "without TLS": plain(access, None),
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
    if context:
        connection = http.client.HTTPSConnection(*place, timeout=10, context=context)
    else:
        connection = http.client.HTTPConnection(*place, timeout=10)
    try:
        connection.request("GET", f"/{access['bucket']}?list-type=2")
        answer = connection.getresponse()
        return [answer.status, answer.read(2000).decode(errors="replace")]
    except (OSError, http.client.HTTPException) as error:
        return [0, f"{type(error).__name__}: {error}"]
    finally:
        connection.close()
