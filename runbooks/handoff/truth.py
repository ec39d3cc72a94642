"""The differences between the plan that pages are made from and the observation that they show."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nexus.environment.environment import Environment
from runbooks.handoff.commit import Commit
from runbooks.handoff.facts import facts
from runbooks.handoff.observation import Observation

NONE = "nothing"


@dataclass(frozen=True)
class Difference:
    """One difference. `subject` is what it concerns: "host data2", "service auth-service", "platform"."""

    subject: str
    what: str
    planned: str
    found: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.what}: planned {self.planned or NONE}, found {self.found or NONE}"


def differences(env: Environment, commit: Commit, observation: Observation) -> list[Difference]:
    """All differences, each once; empty if the pages say what was found. `env` has what the environment keeps."""
    found = [
        *_checkout(commit, observation),
        *_facts(facts(env), observation["planned"]),
        *_services(env, observation),
        *_hosts(env, observation),
        *_versions(observation),
        *_drift(observation),
    ]
    return list(dict.fromkeys(found))


def _checkout(commit: Commit, observation: Observation) -> Iterator[Difference]:
    if observation["commit"] != commit.name:
        yield Difference("platform", "commit", commit.name[:12], str(observation["commit"])[:12])


def _facts(planned: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Difference]:
    """Facts of this plan that are not those of the plan that the hosts were compared with."""
    for area in sorted({*planned, *found}):
        here, there = planned.get(area, {}), found.get(area, {})
        for name in sorted({*here, *there}):
            subject = f"{area.removesuffix('s')} {name}"
            one, other = here.get(name), there.get(name)
            if isinstance(one, Mapping) and isinstance(other, Mapping):
                for key in sorted({*one, *other}):
                    if one.get(key) != other.get(key):
                        yield Difference(subject, key, _words(one.get(key)), _words(other.get(key)))
            elif one != other:
                yield Difference(subject, area, _words(one), _words(other))


def _words(value: Any) -> str:
    """A value for people; an entry with several facts is only said to be there."""
    if isinstance(value, Mapping):
        return "an entry"
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _services(env: Environment, observation: Observation) -> Iterator[Difference]:
    """Services as the swarm has them; none are known where no manager answered, which its host's reason says."""
    running: Mapping[str, Any] = observation["services"]
    if not env.group("app"):
        return
    planned = facts(env)["services"]
    for name in sorted({*planned, *running}):
        subject = f"service {name}"
        if name not in running or name not in planned:
            yield Difference(subject, "swarm", "a service" if name in planned else "", _image(running.get(name)))
            continue
        if running[name]["replicas"] != planned[name]["replicas"]:
            yield Difference(subject, "replicas", str(planned[name]["replicas"]), str(running[name]["replicas"]))
        if running[name]["tasks"] != "all run":
            yield Difference(subject, "tasks", "all run", str(running[name]["tasks"]))


def _image(service: Mapping[str, Any] | None) -> str:
    return str(service["image"]) if service else ""


def _hosts(env: Environment, observation: Observation) -> Iterator[Difference]:
    names = [host.name for host in env.hosts]
    for name in sorted({*names, *observation["hosts"]}):
        about = observation["hosts"].get(name)
        if about is None or name not in names:
            yield Difference(f"host {name}", "inventory", _host(name in names), _host(about is not None))
        elif about["unknown"]:
            yield Difference(f"host {name}", "comparison", "compared as a whole", about["unknown"])


def _host(there: bool) -> str:
    return "a host" if there else ""


def _versions(observation: Observation) -> Iterator[Difference]:
    """Packages whose hosts do not have the same version of them."""
    versions: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for host, about in observation["hosts"].items():
        for package, version in about["versions"].items():
            versions[package][version].append(host)
    for package, found in sorted(versions.items()):
        if len(found) > 1:
            words = "; ".join(f"{version} on {', '.join(hosts)}" for version, hosts in sorted(found.items()))
            yield Difference("platform", f"package {package}", "one version on all hosts", words)


def _drift(observation: Observation) -> Iterator[Difference]:
    for line in observation["drift"]:
        kind, _, name = line["item"].partition(" ")
        subject = f"service {name}" if kind == "service" else f"host {line['host']}"
        yield Difference(subject, f"{line['role']}: {line['item']}: {line['how']}", line["after"], line["before"])
