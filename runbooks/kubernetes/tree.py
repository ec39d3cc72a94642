"""The rendered objects as files for kustomize: base/ for every environment, overlays/ENV for each.

No file holds a secret. A second rendering writes the same bytes.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from nexus import project
from nexus.catalogue import load
from nexus.environment.generated import Plain, from_catalogue
from nexus.workstation import write_whole
from runbooks.kubernetes.item import ENVIRONMENT, NAME, Object, key
from runbooks.kubernetes.render import Rendered, base

KUSTOMIZATION = "kustomization.yaml"


class _Blocks(Plain):
    """Writes text of several lines as a block."""


def _text(dumper: _Blocks, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Blocks.add_representer(str, _text)


def directory() -> Path:
    """The folder of the files in this checkout."""
    return project.root() / "dist" / "kubernetes"


def dump(objects: Iterable[Object]) -> str:
    """Objects as documents of one YAML stream."""
    return yaml.dump_all(objects, Dumper=_Blocks, sort_keys=False, width=1000, explicit_start=True)


def files(rendered: Rendered) -> dict[str, str]:
    """{path below dist/kubernetes: text} of the base and of this environment's overlay."""
    whole = base(load(), "kube-system")
    overlay = _folder(f"overlays/{rendered.environment}", rendered.overlay, _on(rendered, whole))
    return {**_folder("base", whole, {}), **overlay}


def write(target: Path, rendered: Rendered) -> list[Path]:
    """Write the files, and remove those of this tree that are no longer rendered; return the paths that changed."""
    wanted = {target / path: text for path, text in files(rendered).items()}
    changed = []
    for path, text in wanted.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text)
            changed.append(path)
    for folder in (target / "base", target / "overlays" / rendered.environment):
        for path in sorted(folder.rglob("*.yaml")):
            if path not in wanted:
                path.unlink()
                changed.append(path)
        for empty in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
            if not any(empty.iterdir()):
                shutil.rmtree(empty)
    return changed


def _on(rendered: Rendered, whole: Iterable[Object]) -> Object:
    """What kustomize does with the base for this environment: its label, and patches where the environment differs."""
    mine = {key(each): each for each in rendered.base}
    patches = [_patch(each, mine.get(key(each))) for each in whole if mine.get(key(each)) != each]
    labels = {"labels": [{"pairs": {ENVIRONMENT: rendered.environment}}]}
    return {"resources": ["../../base"], **labels, **({"patches": patches} if patches else {})}


def _patch(old: Object, new: Object | None) -> Object:
    """Remove an object of the base, or give it another specification."""
    kind, namespace, name = key(old)
    target = {"kind": kind, "name": name, **({"namespace": namespace} if namespace else {})}
    if new is None:
        metadata = {part: text for part, text in target.items() if part != "kind"}
        content: Any = {"$patch": "delete", "apiVersion": old["apiVersion"], "kind": kind, "metadata": metadata}
    else:
        content = [{"op": "replace", "path": "/spec", "value": new["spec"]}]
    return {"target": target, "patch": yaml.dump(content, Dumper=_Blocks, sort_keys=False)}


def _folder(folder: str, objects: Iterable[Object], rest: Mapping[str, Any]) -> dict[str, str]:
    """A file for each service below the folder of its namespace, one for the rest of it, and the kustomization."""
    parts: dict[str, list[Object]] = {}
    for each in objects:
        kind, namespace, _ = key(each)
        service = each["metadata"]["labels"].get(NAME, "common")
        path = "namespaces.yaml" if kind == "Namespace" else f"{namespace}/{service}.yaml"
        parts.setdefault(path, []).append(each)
    paths = sorted(parts)
    head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    kustomization = {**head, **rest, "resources": [*rest.get("resources", ()), *paths]}
    texts = {f"{folder}/{path}": from_catalogue(dump(parts[path])) for path in paths}
    return {f"{folder}/{KUSTOMIZATION}": from_catalogue(dump([kustomization])), **texts}
