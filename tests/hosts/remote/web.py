"""Runs on a host: HTTP requests to what listens on it, and how each was answered."""

import base64
import http.client
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

BODY_BYTES = 20_000
AT_ONCE = 8
local = threading.local()


def ask(request):
    """{name: {"status", "headers", "body"} or {"error"}} of each of the requests."""
    wanted = request["requests"]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(one, wanted.values()), strict=True))


def one(wanted):
    """The answer to one request; a connection is kept for the next one to the same place."""
    headers = dict(wanted.get("headers", {}))
    if "login" in wanted:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(wanted["login"]).encode()).decode()
    try:
        connection = connect(wanted)
        connection.request(wanted.get("method", "GET"), wanted["path"], headers=headers)
        response = connection.getresponse()
        body = response.read()[:BODY_BYTES].decode(errors="replace")
        found = {name.lower(): value for name, value in response.getheaders()}
        return {"status": response.status, "headers": found, "body": body}
    except (OSError, http.client.HTTPException) as error:
        local.__dict__.clear()
        return {"error": f"{type(error).__name__}: {error}"}


def connect(wanted):
    """This thread's connection to the place."""
    key = f"{wanted['host']}:{wanted['port']}:{wanted.get('ca')}"
    if key not in local.__dict__:
        made = http.client.HTTPConnection(wanted["host"], wanted["port"], timeout=15)
        if wanted.get("ca"):
            tls = ssl.create_default_context(cafile=wanted["ca"])
            made = http.client.HTTPSConnection(wanted["host"], wanted["port"], context=tls, timeout=15)
        local.__dict__[key] = made
    return local.__dict__[key]
