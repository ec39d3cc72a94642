"""Deploy services of the stack and wait until they are healthy, or cannot become healthy.

Runs on a manager with the standard library alone, as a part of state.py.
"""

import json
import re
import time
from typing import Any, NoReturn
from urllib.parse import quote

from nexus.agent.lib import RemoteError, run
from roles.docker.host.client import Docker

STACK = "nexus"
LOG_LINES = 12
FRAMES = 40  # stack frames of a JavaScript engine that gave up: they follow the line with the reason
FRAME = re.compile(r" *\d+: 0x[0-9a-f]+ ")
POLL_SECONDS = 1
TELL_SECONDS = 10  # a long wait is reported after this time, then each time after twice as long
REJECTED_MAX = 3  # tasks that no node accepts (no such image) will not be accepted later either
NEVER_STARTED = ("starting container failed", "No such container")
ROLLED_BACK = ("rollback_started", "rollback_completed", "rollback_paused", "paused")


def stack_services(docker: Docker, status: bool = False) -> dict[str, dict[str, Any]]:
    """Services by name; with `status` each has the number of its tasks that run, and that should run."""
    filters = quote(json.dumps({"label": [f"com.docker.stack.namespace={STACK}"]}))
    asked = f"/services?filters={filters}{'&status=true' if status else ''}"
    services = docker.do("list services", "GET", asked)
    return {service["Spec"]["Name"].removeprefix(f"{STACK}_"): service for service in services}


def deploy(definitions: dict[str, Any]) -> None:
    """Hand these services to Swarm; JSON is YAML too. Other services of the stack stay as they are."""
    stack: dict[str, Any] = {"version": "3.12", "networks": {STACK: {"external": True}}, "services": definitions}
    for kind in ("configs", "secrets"):
        names = {file["source"] for content in definitions.values() for file in content.get(kind, ())}
        stack[kind] = {name: {"external": True} for name in names}
    argv = ["docker", "stack", "deploy", "--detach=true", "--resolve-image=never", "--with-registry-auth"]
    run([*argv, "--compose-file=-", STACK], input=json.dumps(stack), timeout=300, env={"HOME": "/root"})


class Rollout:
    """One step's work on the services: what is planned, which tasks existed before, what was deployed twice."""

    def __init__(self, docker: Docker, items: dict[str, Any], phase_seconds: float) -> None:
        self.docker, self.items, self.phase_seconds = docker, items, phase_seconds
        self.before = {task["ID"] for task in docker.list("tasks")}
        self.twice: set[str] = set()

    def wait(self, what: str, names: list[str], definitions: dict[str, Any] | None = None) -> float:
        """Wait until all tasks of these services run, and so pass their health check; return the seconds.

        `definitions` are those just deployed. RemoteError with a report where waiting longer is useless.
        """
        started, pending, told = time.monotonic(), sorted(names), TELL_SECONDS
        while pending:
            services, tasks = stack_services(self.docker), self._tasks(pending)
            reasons = {name: unhealthy(services.get(name), tasks, self.items[f"service {name}"]) for name in pending}
            hopeless = [
                name
                for name, (_, final) in reasons.items()
                if final and not self._continues(services.get(name), tasks, name, (definitions or {}).get(name))
            ]
            pending = [name for name, (reason, _) in reasons.items() if reason]
            seconds = time.monotonic() - started
            if hopeless or (pending and seconds > self.phase_seconds):
                wrong = {name: (services.get(name), reasons[name][0]) for name in hopeless or pending}
                self._give_up(f"{what}: {len(wrong)} of {len(names)} services are not healthy", wrong, tasks)
            if pending and seconds >= told:
                first = ", ".join(pending[:5])
                print(f"{what}: {len(pending)} of {len(names)} services not healthy after {told} s: {first}")
                told *= 2
            if pending:
                time.sleep(POLL_SECONDS)
        return time.monotonic() - started

    def _tasks(self, names: list[str]) -> list[dict[str, Any]]:
        """Tasks of services, without those rejected before this step: the cause, such as a login, may be fixed."""
        tasks = self.docker.list("tasks", service=[f"{STACK}_{name}" for name in names])
        return [task for task in tasks if task["Status"]["State"] != "rejected" or task["ID"] not in self.before]

    def _continues(
        self, service: dict[str, Any] | None, tasks: list[dict[str, Any]], name: str, definition: Any
    ) -> bool:
        """Deploy a service once more if it was rolled back although its process never started.

        Under load an engine sometimes fails to mount the secrets of a container (moby issue 48783), which is not a
        fault of the service. True also while the rollback is still under way.
        """
        if service is None or definition is None or name in self.twice:
            return False
        own = [t for t in tasks if t["ServiceID"] == service["ID"] and t["ID"] not in self.before]
        failed = [task["Status"].get("Err", "") for task in own if task["Status"]["State"] == "failed"]
        if not failed or not all(error.startswith(NEVER_STARTED) for error in failed):
            return False
        if (service.get("UpdateStatus") or {}).get("State") == "rollback_completed":
            print(f"{name}: deployed once more, because its engine could not start it: {failed[-1]}")
            self.twice.add(name)
            deploy({name: definition})
        return True

    def _give_up(self, what: str, wrong: dict[str, Any], tasks: list[dict[str, Any]]) -> NoReturn:
        for service, _ in wrong.values():
            roll_back(self.docker, service)
        reports = [_report(self.docker, name, service, tasks, reason) for name, (service, reason) in wrong.items()]
        raise RemoteError("\n".join([what, *reports]))


def roll_back(docker: Docker, service: dict[str, Any] | None) -> None:
    """Roll back an update that did not finish in time: another update on top of it would end the old tasks too."""
    if service and (service.get("UpdateStatus") or {}).get("State") == "updating":
        path = f"/services/{service['ID']}/update?rollback=previous&version={service['Version']['Index']}"
        docker.do("roll back", "POST", path, service["Spec"])
        print(f"{service['Spec']['Name']}: rolled back to the previous version")


def unhealthy(service: dict[str, Any] | None, tasks: list[dict[str, Any]], wanted: dict[str, Any]) -> tuple[str, bool]:
    """Why a service is not healthy as planned (empty when it is), and whether waiting is useless."""
    if service is None:
        return "is not in the swarm", True
    update = service.get("UpdateStatus") or {}
    if service["Spec"]["Labels"].get("nexus.hash") != wanted["hash"]:
        return f"was rolled back to the previous version: {update.get('Message', 'no reason given')}", True
    own = current(service, tasks)
    live = [task for task in own if task["DesiredState"] == "running"]
    running = [task for task in live if task["Status"]["State"] == "running"]
    count = max(1, len(live)) if wanted["replicas"] is None else wanted["replicas"]
    if len([task for task in own if task["Status"]["State"] == "rejected"]) >= REJECTED_MAX:
        return "no node accepts its tasks", True
    if len(running) < count:
        return f"{len(running)} of {count} tasks run", False
    return ("is being updated", False) if update.get("State") == "updating" else ("", False)


def current(service: dict[str, Any], tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tasks of the service's present definition, not of the one before an update."""
    template = {key: value for key, value in service["Spec"]["TaskTemplate"].items() if key != "Runtime"}
    return [task for task in tasks if task["ServiceID"] == service["ID"] and task["Spec"] == template]


def _report(docker: Docker, name: str, service: dict[str, Any] | None, tasks: list[dict[str, Any]], reason: str) -> str:
    """What an operator needs to know about a service that is not healthy."""
    lines = [f"{name}: {reason}"]
    shown = [task for task in tasks if service and task["ServiceID"] == service["ID"]]
    if service and (service.get("UpdateStatus") or {}).get("State") in ROLLED_BACK:
        shown = [task for task in shown if task["Status"]["State"] in ("failed", "rejected")]
    elif service:
        shown = [task for task in current(service, tasks) if task["Status"]["State"] != "running"]
    for task in sorted(shown, key=lambda task: str(task["Status"]["Timestamp"]))[-1:]:
        error = task["Status"].get("Err") or task["Status"].get("Message", "")
        lines.append(f"  task {task['ID'][:12]} is {task['Status']['State']}: {error}")
        lines += [f"  health check: {said}" for said in _health(docker, task)]
        lines += [f"  | {line}" for line in log(task["ID"])]
    return "\n".join(lines)


def _health(docker: Docker, task: dict[str, Any]) -> list[str]:
    """The output of the last health check of a task; only its own node knows it, so empty for other nodes."""
    container = task["Status"].get("ContainerStatus", {}).get("ContainerID")
    status, answer = docker.raw("GET", f"/containers/{container}/json")
    health = json.loads(answer)["State"].get("Health") if status == 200 else None
    return [check["Output"].strip() for check in ((health or {}).get("Log") or [])[-1:]]


def log(task_id: str) -> list[str]:
    """The last lines that a task wrote, on any node, without the stack frames of its JavaScript engine."""
    try:
        query = f"stdout=true&stderr=true&tail={LOG_LINES + FRAMES}"
        status, stream = Docker(timeout=10).raw("GET", f"/tasks/{task_id}/logs?{query}")
    except OSError:
        return ["its log could not be read"]
    text, position = b"", 0
    while status == 200 and position + 8 <= len(stream):  # frames: kind, three zeros, length, content
        length = int.from_bytes(stream[position + 4 : position + 8], "big")
        text += stream[position + 8 : position + 8 + length]
        position += 8 + length
    said = text.decode(errors="replace").splitlines()
    return [line for line in said if not FRAME.match(line)][-LOG_LINES:]
