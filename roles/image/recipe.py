"""The recipe of all images, as data: which images are needed, and what and which others each is built from.

    base -> node -> modules (one per set of npm dependencies) -> reference, service, ...
         -> python -> service
         -> router

An image is named by the hash of its build context, and a Dockerfile names its parents by these names: a change
in one image changes the name of every image above it.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nexus.catalogue.service import Service, Source
from nexus.environment.environment import Environment
from roles.image.checkout import Checkout

Members = Mapping[str, bytes | tuple[bytes, int]]  # path -> content, or content and mode (0644 otherwise)
ROUTER = "router"
REFERENCE = "reference"


@dataclass(frozen=True)
class Image:
    """One image: `context` is a tar with its Dockerfile, or the recipe of the base as JSON."""

    name: str
    context: bytes
    parents: tuple[Image, ...] = ()

    @cached_property
    def content(self) -> str:
        """Hex digest of everything that the image is made from."""
        return hashlib.sha256(self.context).hexdigest()

    @property
    def tag(self) -> str:
        """Its name in the engine that builds it."""
        return f"nexus-cos/{self.name}:{self.content[:16]}"

    @cached_property
    def lineage(self) -> tuple[Image, ...]:
        """All its ancestors, then itself, each once and after its own ancestors."""
        order = {image.tag: image for parent in self.parents for image in parent.lineage}
        return (*order.values(), self)


@dataclass(frozen=True)
class Recipe:
    """All images of an environment. `images` maps a repository (service or router) to its image."""

    images: Mapping[str, Image]
    without_code: tuple[str, ...]  # services that the reference service replaces


class _Kitchen:
    """Makes the images of one environment, each distinct image once."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.files = env.root / "templates" / "image"
        self.base = None if env.setting.image_base else Image("base", _base(env))
        self.node = self._runtime("node", ("nodejs",))
        self._modules: dict[bytes, Image] = {}

    def router(self) -> Image:
        return self._image(ROUTER, "router.Dockerfile.j2", {}, self._base())

    def reference(self) -> Image:
        folder = self.files / REFERENCE
        paths = [folder / "package.json", folder / "package-lock.json", *folder.rglob("*.js")]
        files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
        packages = {name: files[name] for name in ("package.json", "package-lock.json")}
        members = {f"srv/services/{REFERENCE}/{name}": data for name, data in files.items()}
        probes = self.env.catalogue.platform.probes.reference
        return self._service(
            REFERENCE,
            members,
            self.modules(packages),
            folder=f"services/{REFERENCE}",
            command=["node", "server.js"],
            variables={"PROBE_READY": probes.readiness, "PROBE_LIVE": probes.liveness},
        )

    def shipped(self, service: Service, source: Source, checkout: Checkout) -> Image:
        """The image of a service that has code in the checkout."""
        checkout.entry(service)
        members = {f"srv/{name}": data for name, data in checkout.files(service.source_folder).items()}
        if source.needs_middleware:
            members |= {f"srv/{name}": data for name, data in checkout.files("middleware").items()}
        if source.language == "python":
            parent = self._runtime("python", ("python3", *(f"python3-{name}" for name in source.packages)))
        else:
            parent = self.modules(checkout.dependencies(service))
        probes = self.env.catalogue.probes_of(service, shipped_code=True)
        variables = {
            "PROBE_READY": probes.readiness,
            "PROBE_LIVE": probes.liveness,
            "STOP_STATUS": " ".join(map(str, source.accepted_exit_codes)),
        }
        return self._service(
            service.name, members, parent, folder=service.source_folder, command=_command(source), variables=variables
        )

    def modules(self, packages: Members) -> Image:
        """Node with the npm packages of these files in /srv/node_modules, where all code below /srv finds them."""
        if not packages:
            return self.node
        key = pack(packages)
        if key not in self._modules:
            self._modules[key] = self._image(
                "modules",
                "modules.Dockerfile.j2",
                {f"packages/{name}": data for name, data in packages.items()},
                (self.node,),
                locked="package-lock.json" in packages,
            )
        return self._modules[key]

    def _service(self, name: str, members: Members, parent: Image, **values: Any) -> Image:
        values["variables"] = {**values["variables"], **self.env.setting.image_environment}
        return self._image(name, "service.Dockerfile.j2", members, (parent,), **values)

    def _runtime(self, name: str, packages: tuple[str, ...]) -> Image:
        scripts = {
            "nexus-entry": ((self.files / "entry.sh").read_bytes(), 0o755),
            "nexus-health": ((self.files / "health.sh").read_bytes(), 0o755),
        }
        return self._image(name, "runtime.Dockerfile.j2", scripts, self._base(), packages=packages)

    def _base(self) -> tuple[Image, ...]:
        return (self.base,) if self.base else ()

    def _image(self, name: str, template: str, members: Members, parents: tuple[Image, ...], **values: object) -> Image:
        parent = parents[0].tag if parents else str(self.env.setting.image_base)
        dockerfile = self.env.render(f"image/{template}", parent=parent, **values)
        return Image(name, pack({**members, "Dockerfile": dockerfile.encode()}), parents)


def pack(members: Members) -> bytes:
    """A tar of regular files, the same bytes for the same content: sorted by name, without times and owners."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(members):
            member = members[name]
            data, mode = member if isinstance(member, tuple) else (member, 0o644)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return target.getvalue()


def recipe(env: Environment, checkout: Checkout | None) -> Recipe:
    """All images that the environment needs."""
    kitchen = _Kitchen(env)
    images, without = {ROUTER: kitchen.router()}, []
    reference = kitchen.reference()
    for service in env.catalogue.services.values():
        if checkout and service.source and checkout.has(service):
            images[service.name] = kitchen.shipped(service, service.source, checkout)
        else:
            images[service.name] = reference
            without.append(service.name)
    return Recipe(images, tuple(without))


def _base(env: Environment) -> bytes:
    wanted = {
        "suite": env.setting.image_suite,
        "revision": env.setting.image_revision,
        "include": ["ca-certificates", "tini"],
        # Documentation and translations are for people at a terminal; syncs matter only for disks that are kept.
        "dpkg": [
            "force-unsafe-io",
            *(f"path-exclude=/usr/share/{name}/*" for name in ("doc", "info", "locale", "man")),
            "path-include=/usr/share/doc/*/copyright",
        ],
    }
    return json.dumps(wanted, indent=1, sort_keys=True).encode()


def _command(source: Source) -> list[str]:
    if source.language == "node":
        return ["node", source.entry]
    entry = Path(source.entry)
    start = f'exec python3 -m uvicorn --app-dir {entry.parent} {entry.stem}:app --host 0.0.0.0 --port "$PORT"'
    return ["/bin/sh", "-c", start]
