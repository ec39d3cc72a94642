"""Runs on hosts with an engine: which of the registry's images they hold, and the push of some of them.

Standard library only.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

from nexus.agent.lib import RemoteError, run

CONTENT = "nexus-cos.content"  # the label with the hash of everything that an image was made from
DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64})")
SECONDS = 900
Item = dict[str, Any]


def probe(names: list[str], context: Item) -> dict[str, Item]:
    """{"images": {id: {"content", "names": {REPOSITORY: {"digest", "tags"}}}}} of the images of context["registry"].

    Tags are those that containers were started with. A host whose engine does not answer holds nothing.
    """
    try:
        images = inspected("image", run(["docker", "image", "ls", "--quiet", "--no-trunc"]).split())
        containers = inspected("container", run(["docker", "container", "ls", "--all", "--quiet"]).split())
    except (RemoteError, OSError):
        return {"images": {}}
    started = [container["Config"]["Image"] for container in containers]
    return {"images": held(f"{context['registry']}/nexus-cos/", images, started)}


def inspected(kind: str, names: Iterable[str]) -> list[Item]:
    """What the engine says of images or containers; one that has gone meanwhile is left out."""
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return []
    argv = ["docker", kind, "inspect", *wanted]
    found: list[Item] = json.loads(
        subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=120).stdout or "[]"
    )
    return found


def held(prefix: str, images: Iterable[Item], started: Iterable[str]) -> dict[str, Item]:
    """Images with a digest in a repository that begins with `prefix`, without it; see `probe`."""
    tags: dict[str, set[str]] = {}
    for reference in started:  # NAME:TAG@DIGEST, as the swarm starts tasks
        name, _, digest = reference.partition("@")
        repository, _, tag = name.rpartition(":")
        tags.setdefault(f"{repository}@{digest}", set()).add(tag)
    found = {}
    for image in images:
        names = dict(_digests(prefix, image.get("RepoDigests") or ()))
        if names:
            content = ((image.get("Config") or {}).get("Labels") or {}).get(CONTENT, "")
            known = {
                name: {"digest": digest, "tags": sorted(tags.get(f"{prefix}{name}@{digest}", ()))}
                for name, digest in names.items()
            }
            found[image["Id"]] = {"content": content, "names": known}
    return found


def _digests(prefix: str, references: Iterable[str]) -> Iterator[tuple[str, str]]:
    for reference in references:
        name, _, digest = reference.partition("@")
        if name.startswith(prefix):
            yield name.removeprefix(prefix), digest


def push(context: Item) -> None:
    """Push images to the registry: context["pushes"] is [{"id", "name", "digest"}], with REPOSITORY:TAG as `name`.

    The engine compresses layers again, which gives the digest of before; if it does not, that is said.
    The tags stay: without its last tag an image would lose its digest, too.
    """
    for one in context["pushes"]:
        name = f"{context['registry']}/nexus-cos/{one['name']}"
        run(["docker", "tag", one["id"], name])
        told = DIGEST.search(run(["docker", "push", name], timeout=SECONDS, env={"HOME": "/root"}))
        if not told or told[1] != one["digest"]:
            print(f"{one['name']} came back with another digest: what runs with it will be replaced", flush=True)
    print(f"images: {len(context['pushes'])} brought back to the registry", flush=True)
