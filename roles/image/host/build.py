"""Runs on the registry's host: builds the images that the registry lacks, and pushes them."""

import glob
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from typing import Any

from nexus.agent.lib import RemoteError, run
from roles.image.host.held import CONTENT
from roles.image.host.registry import Registry


def lay_down(names: list[str], context: dict[str, Any], payload: dict[str, Any]) -> None:
    """Build and push each image that no repository holds, then give it to the repositories of the items `names`.

    An image that several services share is pushed once; the other repositories get its manifest by the registry's
    API, with its layers mounted from the first one.
    """
    registry = Registry(payload)
    registry.wait(30)
    tags: dict[str, list[str]] = {}
    for name in names:
        tags.setdefault(payload["wanted"][name], []).append(name.removeprefix("image "))
    for tag, repositories in tags.items():
        image = payload["images"][tag]
        home, content = tag.split("/")[1].split(":")[0], f"content-{image['content']}"
        manifest = registry.manifest(home, content)
        if manifest is None or not registry.holds(home, manifest):
            build(tag, payload)
            manifest = push(registry, tag, home, content, payload)
        for repository in repositories:
            registry.put(repository, manifest, home, (content, context["release"]))
    say(f"images: {len(names)} at release {context['release']}, {len(tags)} distinct")
    tidy(payload)


def say(line: str) -> None:
    """Print a line on the operator's screen at once, not at the end of the step."""
    print(line, flush=True)


def say_if_long(what: str, started: float) -> None:
    seconds = time.monotonic() - started
    if seconds >= 2:
        say(f"{what} in {seconds:.0f} s")


def build(tag: str, payload: dict[str, Any]) -> None:
    """Build the image, after its parents, unless the engine has it."""
    if there(tag):
        return
    image = payload["images"][tag]
    for parent in image["parents"]:
        build(parent, payload)
    started = time.monotonic()
    if tag.startswith("nexus-cos/base:"):
        bootstrap(tag, image["path"], payload["directory"])
    else:
        context = with_bundle(image["path"], payload["bundle"])
        # The host's own network: its MTU, its DNS, and no bridge between the build and the package sources.
        label = f"{CONTENT}={image['content']}"
        argv = ["docker", "build", "--network", "host", "--force-rm", "--label", label, "--tag", tag, "-"]
        command(argv, f"build of {tag}", context)
    say_if_long(f"{tag.split('/')[1].split(':')[0]} built", started)


def there(tag: str) -> bool:
    return subprocess.run(["docker", "image", "inspect", tag], capture_output=True).returncode == 0


def with_bundle(path: str, bundle: str) -> bytes:
    """The build context, with the host's CA bundle next to the Dockerfile if the Dockerfile copies it."""
    with open(path, "rb") as stream:
        context = io.BytesIO(stream.read())
    with tarfile.open(fileobj=context) as archive:
        dockerfile = archive.extractfile("Dockerfile")
        wanted = dockerfile is not None and b"\nCOPY .ca.pem " in dockerfile.read()
    if wanted:
        context.seek(0)
        with tarfile.open(fileobj=context, mode="a") as archive:
            archive.add(os.path.realpath(bundle), ".ca.pem")
    return context.getvalue()


def command(argv: list[str], what: str, data: bytes | None = None) -> None:
    """Run a long command; RemoteError with its last lines when it fails."""
    env = {**os.environ, "DOCKER_BUILDKIT": "0", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(argv, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
    if done.returncode:
        lines = done.stdout.decode(errors="replace").strip().splitlines()[-15:]
        raise RemoteError(f"{what} failed:\n" + "\n".join(lines))


def bootstrap(tag: str, path: str, directory: str) -> None:
    """Make a base image from this host's own package sources and import it into the engine."""
    with open(path, errors="replace") as stream:
        wanted = json.load(stream)
    work = f"{directory}/work"
    shutil.rmtree(work, ignore_errors=True)  # left by a run that died
    os.makedirs(work, mode=0o755)
    try:
        target = f"{work}/base.tar"
        argv = ["mmdebstrap", "--variant=minbase", f"--include={','.join(wanted['include'])}"]
        argv += [f"--dpkgopt={option}" for option in wanted["dpkg"]]
        argv += [f"--aptopt={option}" for option in ('Acquire::Languages "none";', *proxies())]
        command(["env", f"TMPDIR={work}", *argv, wanted["suite"], target, *sources()], "mmdebstrap")
        command(["docker", "import", target, tag], "docker import of the base")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def sources() -> list[str]:
    """Debian's package sources on this host; those of vendors are not for images."""
    places = ["/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources"]
    found = [path for path in places if os.path.exists(path) and os.path.getsize(path)]
    return found or sorted(glob.glob("/etc/apt/sources.list.d/*"))


def proxies() -> list[str]:
    """The proxies of this host's apt, as apt options."""
    lines = run(["apt-config", "dump"]).splitlines()
    wanted = ("acquire::http::proxy ", "acquire::https::proxy ")
    return [line for line in lines if line.lower().startswith(wanted)]


def push(registry: Registry, tag: str, home: str, content: str, payload: dict[str, Any]) -> bytes:
    """Push the built image to its own repository; return its manifest as the registry holds it."""
    name = f"{payload['registry']}/nexus-cos/{home}:{content}"
    started = time.monotonic()
    command(["docker", "tag", tag, name], f"docker tag {name}")
    command(["docker", "push", "--quiet", name], f"docker push {name}")
    command(["docker", "rmi", "--no-prune", name], f"docker rmi {name}")
    manifest = registry.manifest(home, content)
    if manifest is None:
        raise RemoteError(f"registry: {name} was pushed, but the registry does not have it")
    say_if_long(f"{home} pushed", started)
    return manifest


def tidy(payload: dict[str, Any]) -> None:
    """Remove images of earlier recipes from the engine; the registry keeps its releases."""
    listing = run(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "nexus-cos/*"])
    old = [tag for tag in listing.split() if tag not in payload["images"]]
    if old:
        command(["docker", "rmi", *old], "docker rmi of old build stages")
    command(["docker", "image", "prune", "--force"], "docker image prune")
