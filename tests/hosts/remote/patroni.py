"""Runs on a host of PostgreSQL: what every member's Patroni answers to anybody, and what it refuses."""

import json
import ssl
import urllib.error
import urllib.request


def ask(request):
    """{member: {path: [status, answer]}}; a change is tried without certificate and password."""
    context = ssl.create_default_context(cafile=request["ca"])

    def get(address, path, method="GET"):
        url = f"https://{address}:{request['port']}{path}"
        body = b"{}" if method == "PATCH" else None
        try:
            asked = urllib.request.Request(url, body, method=method)
            with urllib.request.urlopen(asked, timeout=10, context=context) as reply:
                return [reply.status, read(reply)]
        except urllib.error.HTTPError as error:
            return [error.code, read(error)]

    def read(reply):
        text = reply.read().decode(errors="replace")
        try:
            return json.loads(text)
        except ValueError:
            return text

    paths = ("/primary", "/replica", "/patroni", "/config", "/cluster")
    return {
        name: {path: get(address, path) for path in paths} | {"change": get(address, "/config", "PATCH")}
        for name, address in request["members"].items()
    }
