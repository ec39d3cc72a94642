"""A registry that lost its storage gets images back from the hosts that run them, before any is built.

The same image has the same digest, so no service restarts. An image without the label of its content, from before
labels, is built again.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nexus import console
from nexus.error import OperatorError
from nexus.run.host_action import carry_out
from nexus.run.run import Run
from nexus.run.side_by_side import side_by_side
from roles.registry.plan import registry_name

SOURCE, LOST = (Path(__file__).parent / f"host/{name}.py" for name in ("held", "lost"))
Held = Mapping[str, Mapping[str, Any]]  # as host/held.py answers


class Push(NamedTuple):
    """An image that a host pushes: its id there, its name as REPOSITORY:TAG, and the digest that it had."""

    id: str
    name: str
    digest: str

    @property
    def stored(self) -> str:
        """How the registry's storage names it: REPOSITORY@DIGEST."""
        return f"{self.name.rpartition(':')[0]}@{self.digest}"


def bring_back(run: Run, name: str) -> dict[str, Any]:
    """Have other hosts push what the registry on host `name` lacks of their images; no values for the step.

    It is called when the step that builds images is about to begin.
    """
    context = {"registry": registry_name(run.environment), "storage": run.environment.setting.registry_directory}
    payload = run.hosts.plan(name, "image").states[0].payload
    others = [other for other in run.hosts.members("docker") if other != name and run.hosts.reaches(other)]
    held = side_by_side(lambda other: run.hosts.ask_source(other, SOURCE, ["images"], context)["images"], others)
    pushes = chosen(held, contents(payload), homes(payload))
    names = sorted({push.stored for each in pushes.values() for push in each})
    lacking = run.hosts.ask_source(name, LOST, names, context) if names else {}
    for host, each in pushes.items():
        if wanted := [push._asdict() for push in each if push.stored in lacking]:
            _push(run, host, {**context, "pushes": wanted})
    return {}


def _push(run: Run, host: str, context: Mapping[str, Any]) -> None:
    """What cannot be pushed is built, as on a first run."""
    try:
        carry_out(run, host, "bring images back to the registry", SOURCE, "push", context)
    except OperatorError as error:
        console.complain(f"    {error}. What the registry lacks of them is built again, and its tasks are replaced")


def contents(payload: Mapping[str, Any]) -> dict[str, str]:
    """{repository: content that it shall hold}."""
    return {item.removeprefix("image "): payload["images"][tag]["content"] for item, tag in payload["wanted"].items()}


def homes(payload: Mapping[str, Any]) -> dict[str, str]:
    """{content: the repository that it is pushed to first}; the others get it from there."""
    return {payload["images"][tag]["content"]: tag.split("/")[1].split(":")[0] for tag in payload["wanted"].values()}


def chosen(held: Mapping[str, Held], planned: Mapping[str, str], home: Mapping[str, str]) -> dict[str, list[Push]]:
    """{host: its pushes}. Each planned content once, to its home; all else once by each of its names.

    `planned` is {repository: content}, `home` {content: repository}.
    """
    done: set[tuple[str, str]] = set()
    found: dict[str, list[Push]] = {}
    for host, images in held.items():
        for number, image in images.items():
            for push in _names(number, image, planned, home):
                if (push.name, push.digest) not in done:
                    done.add((push.name, push.digest))
                    found.setdefault(host, []).append(push)
    return found


def _names(
    number: str, image: Mapping[str, Any], planned: Mapping[str, str], home: Mapping[str, str]
) -> Iterator[Push]:
    content = image["content"]
    for repository, known in image["names"].items():
        if content and planned.get(repository) == content:
            yield Push(number, f"{home[content]}:content-{content}", known["digest"])
        else:
            for tag in known["tags"] or [f"content-{content}" if content else f"held-{known['digest'][7:23]}"]:
                yield Push(number, f"{repository}:{tag}", known["digest"])
