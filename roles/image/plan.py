"""The images of the environment: built on the host of the registry, kept there at the planned release."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, State
from nexus.plan.diff import Answer
from roles.image.checkout import checkout
from roles.image.recipe import Recipe, recipe
from roles.registry.plan import login, registry_host, registry_name

DIRECTORY = "/var/lib/nexus-cos/image"
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"  # of the host: builds trust what it trusts


def item(name: str) -> str:
    """Name of the item of a service, or of the router, in the state "image"; its answer holds `digest` too."""
    return f"image {name}"


def teller(env: Environment) -> str | None:
    """The host that is asked for the digests of images: the host of the registry."""
    found = env.group("ops")
    return found[0].name if found else None


def told(answer: Answer) -> tuple[Mapping[str, Any], str]:
    """The digest of each service's image, and no error."""
    items = answer["states"].get("image", {}).get("items", {})
    found = {name.removeprefix("image "): about["digest"] for name, about in items.items() if about.get("digest")}
    return found, ""


def plan(env: Environment, host: Host) -> Desired:
    """Build contexts as files, and the state of the registry's content; only on the registry's host."""
    if host != registry_host(env):
        return Desired()
    wanted = recipe(env, checkout(env))
    everything = {image.tag: image for top in wanted.images.values() for image in top.lineage}
    return Desired(
        packages=() if env.setting.image_base else ("mmdebstrap",),
        directories=(Directory(DIRECTORY, mode=0o711),),  # apt, as its own user, works below it
        files=tuple(File(_path(image.tag), image.context, mode=0o600) for image in everything.values()),
        states=(
            State(
                "image",
                source=Path(__file__).parent / "host/state.py",
                items={item(name): {"content": image.content} for name, image in wanted.images.items()},
                context={"release": env.setting.release, "storage": env.setting.registry_directory},
                payload=_payload(env, wanted),
            ),
        ),
    )


def notes(env: Environment) -> list[str]:
    """Notes for the operator about the images of this run, one line each."""
    found = checkout(env)
    if not found:
        return []
    missing = recipe(env, found).without_code
    names = f"{', '.join(missing[:5])}{' and others' if len(missing) > 5 else ''}"
    return [f"no code in {found.path} for {names}: the reference service runs instead"] if missing else []


def preflight(env: Environment, host: Host) -> str | None:
    """A shell command that prints why `host` cannot build images and exits with 1; None for other hosts."""
    if host != registry_host(env):
        return None
    setting = env.setting
    tag = f"router/_manifests/tags/{setting.release}"
    there = f"{setting.registry_directory}/docker/registry/v2/repositories/nexus-cos/{tag}"
    return (
        f"[ -e {there} ] || for place in {setting.docker_data_root} {setting.registry_directory}; do "
        'while [ ! -e "$place" ]; do place=$(dirname "$place"); done; '
        'free=$(df --output=avail -B1 "$place" | tail -n 1); '
        f'[ "$free" -ge {setting.image_disk_free_bytes} ] || {{ '
        f'echo "not enough disk for images: $place has $((free >> 20)) MiB free and '
        f'{setting.image_disk_free_bytes >> 20} MiB are needed: free space, or lower image_disk_free_bytes"; '
        "exit 1; }; done"
    )


def _path(tag: str) -> str:
    name = tag.removeprefix("nexus-cos/").replace(":", "-")
    return f"{DIRECTORY}/{name}"


def _payload(env: Environment, wanted: Recipe) -> dict[str, object]:
    user, password = login(env)
    images = {image.tag: image for top in wanted.images.values() for image in top.lineage}
    return {
        "registry": registry_name(env),
        "port": env.setting.registry_port,
        "user": user,
        "password": password,
        "ca": "/etc/nexus-cos/tls/ca.pem",
        "bundle": CA_BUNDLE,
        "directory": DIRECTORY,
        "images": {
            tag: {"path": _path(tag), "content": image.content, "parents": [p.tag for p in image.parents]}
            for tag, image in images.items()
        },
        "wanted": {item(name): image.tag for name, image in wanted.images.items()},
    }
