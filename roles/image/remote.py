"""On the registry's host: which image each repository holds, and building and pushing what is missing.

The probe reads the registry's own storage, a few small files for each repository, and asks no program.
An image that several services share is pushed once; the others get its manifest over the registry's API,
with its layers mounted from where they are.
"""

from __future__ import annotations

import base64
import glob
import http.client
import io
import json
import os
import shutil
import ssl
import subprocess
import tarfile
import time
from typing import Any

from roles.kit.agent.base import RemoteError, run

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, str]]:
    """{"image NAME": {"content", "digest"}} of those that the registry holds whole at this release."""
    storage = f"{context['storage']}/docker/registry/v2"
    whole: dict[str, list[str] | None] = {}
    found = {}
    for name in names:
        repository = f"{storage}/repositories/nexus-cos/{name.removeprefix('image ')}"
        digest = read(f"{repository}/_manifests/tags/{context['release']}/current/link")
        if not digest:
            continue
        for tag in glob.glob(f"{repository}/_manifests/tags/content-*"):
            if read(f"{tag}/current/link") == digest and is_whole(storage, repository, digest, whole):
                found[name] = {"content": tag.rsplit("content-", 1)[1], "digest": digest}
    return found


def read(path: str) -> str | None:
    """A small file's text, None when it is not there."""
    try:
        with open(path) as stream:
            return stream.read().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_whole(storage: str, repository: str, digest: str, known: dict[str, list[str] | None]) -> bool:
    """Whether manifest and layers are in the storage, and linked from the repository."""
    if digest not in known:
        manifest = read(blob(storage, digest))
        known[digest] = blobs(json.loads(manifest)) if manifest else None
        if not all(os.path.exists(blob(storage, layer)) for layer in known[digest] or ()):
            known[digest] = None
    layers = known[digest]
    link = f"{repository}/_manifests/revisions/sha256/{digest[7:]}/link"
    links = [link, *(f"{repository}/_layers/sha256/{layer[7:]}/link" for layer in layers or ())]
    return bool(layers) and all(map(os.path.exists, links))


def blob(storage: str, digest: str) -> str:
    return f"{storage}/blobs/sha256/{digest[7:9]}/{digest[7:]}/data"


def blobs(manifest: dict[str, Any]) -> list[str]:
    """Digests of the configuration and of all layers."""
    return [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]


class Registry:
    """The registry's API over one connection; errors name what was asked."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.port = payload["port"]
        self.tls = ssl.create_default_context(cafile=payload["ca"])
        token = base64.b64encode(f"{payload['user']}:{payload['password']}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}"}
        self.connection: http.client.HTTPSConnection | None = None

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes] | None:
        """Status and body of a good answer, None for 404; a connection that was closed is made anew once."""
        for again in (True, False):
            try:
                self.connection = self.connection or http.client.HTTPSConnection(
                    "127.0.0.1", self.port, context=self.tls, timeout=60
                )
                self.connection.request(method, f"/v2/{path}", body, {**self.headers, **(headers or {})})
                answer = self.connection.getresponse()
                data = answer.read()
                break
            except (OSError, http.client.HTTPException) as error:
                self.connection = None
                if not again:
                    raise RemoteError(f"registry on port {self.port}: {method} {path}: {error}") from None
        if answer.status == 404:
            return None
        if answer.status not in (200, 201, 202):
            text = data[:300].decode(errors="replace")
            raise RemoteError(f"registry: {method} {path} answers {answer.status}: {text}")
        return answer.status, data

    def wait(self, seconds: float) -> None:
        """Until it answers: it may have been started a moment ago."""
        end = time.monotonic() + seconds
        while True:
            try:
                self.ask("GET", "")
                return
            except RemoteError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.3)

    def manifest(self, repository: str, tag: str) -> bytes | None:
        """Bytes of the manifest that the tag names, None when there is none."""
        found = self.ask("GET", f"nexus-cos/{repository}/manifests/{tag}", headers={"Accept": MANIFEST_TYPE})
        return found[1] if found else None

    def put(self, repository: str, manifest: bytes, source: str, tags: tuple[str, ...]) -> None:
        """Give the repository this manifest under these tags, its blobs mounted from `source`."""
        for digest in dict.fromkeys(blobs(json.loads(manifest))) if repository != source else ():
            path = f"nexus-cos/{repository}/blobs/uploads/?mount={digest}&from=nexus-cos/{source}"
            found = self.ask("POST", path, headers={"Content-Length": "0"})
            if found is None or found[0] != 201:
                raise RemoteError(f"registry: {source} has lost its layer {digest}: run again")
        for tag in tags:
            path = f"nexus-cos/{repository}/manifests/{tag}"
            self.ask("PUT", path, manifest, {"Content-Type": MANIFEST_TYPE})


def apply(
    items: dict[str, Any],
    changed: list[str],
    removed: list[str],
    context: dict[str, Any],
    payload: dict[str, Any],
) -> None:
    """Build what no repository holds, push it once, then lay it under the names that want it."""
    registry = Registry(payload)
    registry.wait(30)
    tags: dict[str, list[str]] = {}
    for name in changed:
        tags.setdefault(payload["wanted"][name], []).append(name.removeprefix("image "))
    for tag, repositories in tags.items():
        image = payload["images"][tag]
        home, content = tag.split("/")[1].split(":")[0], f"content-{image['content']}"
        manifest = registry.manifest(home, content)
        if manifest is None or not mountable(registry, home, manifest):
            build(tag, payload)
            manifest = push(registry, tag, home, content, payload)
        for repository in repositories:
            registry.put(repository, manifest, home, (content, context["release"]))
    say(f"images: {len(changed)} at release {context['release']}, {len(tags)} distinct")
    tidy(payload)


def say(line: str) -> None:
    """To the operator's screen now, not when the step has ended."""
    print(line, flush=True)


def say_if_long(what: str, started: float) -> None:
    seconds = time.monotonic() - started
    if seconds >= 2:
        say(f"{what} in {seconds:.0f} s")


def mountable(registry: Registry, home: str, manifest: bytes) -> bool:
    """Whether all blobs are still there."""
    paths = (f"nexus-cos/{home}/blobs/{digest}" for digest in blobs(json.loads(manifest)))
    return all(registry.ask("HEAD", path) for path in paths)


def build(tag: str, payload: dict[str, Any]) -> None:
    """Build the image unless the engine has it, its parents first."""
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
        # The host's own network: its MTU, its name service, and no bridge on the way to the package sources.
        argv = ["docker", "build", "--network", "host", "--force-rm", "--tag", tag, "-"]
        command(argv, f"build of {tag}", context)
    say_if_long(f"{tag.split('/')[1].split(':')[0]} built", started)


def there(tag: str) -> bool:
    return subprocess.run(["docker", "image", "inspect", tag], capture_output=True).returncode == 0


def with_bundle(path: str, bundle: str) -> bytes:
    """The build context, with the host's CA bundle beside the Dockerfile where that copies it."""
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
    """A base image of this host's own package sources, straight into the engine."""
    with open(path) as stream:
        wanted = json.load(stream)
    work = f"{directory}/work"
    shutil.rmtree(work, ignore_errors=True)  # of a run that died
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
    """Package sources of this host's Debian; those of vendors are not for images."""
    places = ["/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources"]
    found = [path for path in places if os.path.exists(path) and os.path.getsize(path)]
    return found or sorted(glob.glob("/etc/apt/sources.list.d/*"))


def proxies() -> list[str]:
    """How this host's apt reaches its sources, as apt wants to be told."""
    lines = run(["apt-config", "dump"]).splitlines()
    wanted = ("acquire::http::proxy ", "acquire::https::proxy ")
    return [line for line in lines if line.lower().startswith(wanted)]


def push(registry: Registry, tag: str, home: str, content: str, payload: dict[str, Any]) -> bytes:
    """Push the built image to its own repository; its manifest as the registry then holds it."""
    name = f"{payload['registry']}/nexus-cos/{home}:{content}"
    started = time.monotonic()
    command(["docker", "tag", tag, name], f"docker tag {name}")
    command(["docker", "push", "--quiet", name], f"docker push {name}")
    command(["docker", "rmi", "--no-prune", name], f"docker rmi {name}")
    manifest = registry.manifest(home, content)
    if manifest is None:
        raise RemoteError(f"registry: {name} was pushed and is not there")
    say_if_long(f"{home} pushed", started)
    return manifest


def tidy(payload: dict[str, Any]) -> None:
    """Drop what earlier recipes left in the engine; the registry keeps its releases."""
    listing = run(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "nexus-cos/*"])
    old = [tag for tag in listing.split() if tag not in payload["images"]]
    if old:
        command(["docker", "rmi", *old], "docker rmi of old build stages")
    command(["docker", "image", "prune", "--force"], "docker image prune")
