"""Runs on a host: what Docker's engine says, over its socket. Reads only."""

import http.client
import json
import socket
import urllib.parse


class Engine(http.client.HTTPConnection):
    """One connection to the engine's socket."""

    def __init__(self):
        super().__init__("docker", timeout=30)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect("/run/docker.sock")

    def get(self, path, **filters):
        """The answer at a path as data; None where there is nothing."""
        query = f"?filters={urllib.parse.quote(json.dumps(filters))}" if filters else ""
        self.request("GET", path + query)
        response = self.getresponse()
        body = json.loads(response.read())
        if response.status == 404:
            return None
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}: {body.get('message')}")
        return body


def ask(request):
    """Engine, networks and containers; where it is a manager also nodes, services, tasks, configs, secrets."""
    engine = Engine()
    containers = [engine.get(f"/containers/{entry['Id']}/json") for entry in engine.get("/containers/json")]
    found = {
        "info": engine.get("/info"),
        "networks": {name: engine.get(f"/networks/{name}") for name in request["networks"]},
        "containers": [container for container in containers if container],
    }
    if found["info"]["Swarm"]["ControlAvailable"]:
        found["nodes"] = engine.get("/nodes")
        found["services"] = engine.get("/services", label=[f"com.docker.stack.namespace={request['stack']}"])
        found["tasks"] = engine.get("/tasks", **{"desired-state": ["running"]})
        for kind in ("configs", "secrets"):
            found[kind] = [stored["Spec"]["Name"] for stored in engine.get(f"/{kind}")]
    return found
