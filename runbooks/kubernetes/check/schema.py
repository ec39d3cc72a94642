"""The schemas of Kubernetes itself, in strict mode, and ours for the kinds that a cluster learns from others."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from kubernetes_validate.utils import all_versions, schema_contents
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from runbooks.kubernetes.check.extension import EXTENSIONS
from runbooks.kubernetes.item import Object, shown

VERSIONS: Sequence[str] = list(dict.fromkeys(str(version) for version in all_versions()))


def findings(objects: Iterable[Object], versions: Sequence[str]) -> list[str]:
    """What schemas of these versions refuse; each message once, with the first version that says it."""
    found: dict[str, str] = {}
    for each in objects:
        for version in versions:
            for text in _objections(each, version):
                found.setdefault(text, version)
    return [f"{text} (schema {version})" for text, version in found.items()]


def _objections(found: Object, version: str) -> Iterator[str]:
    api, kind = found.get("apiVersion"), found.get("kind")
    if not isinstance(api, str) or not isinstance(kind, str):
        yield f"{shown(found)}: apiVersion or kind is missing"
        return
    validator = _extension(api, kind) or _validator(api, kind, version)
    if validator is None:
        yield f"{shown(found)}: this version of Kubernetes has no {kind} in {api}"
        return
    for error in validator.iter_errors(found):
        path = ".".join(str(part) for part in error.absolute_path)
        yield f"{shown(found)}: {path or 'the object'}: {error.message[:200]}"


@lru_cache
def _extension(api: str, kind: str) -> Draft202012Validator | None:
    schema = EXTENSIONS.get((api, kind))
    return Draft202012Validator(schema) if schema else None


@lru_cache(maxsize=256)
def _validator(api: str, kind: str, version: str) -> Draft202012Validator | None:
    group, _, number = api.rpartition("/")
    name = f"{kind.lower()}-{group.split('.')[0]}-{number}" if group else f"{kind.lower()}-{number}"
    try:
        contents = schema_contents(f"{_folder(version)}/{name}.json", version)
    except FileNotFoundError:
        return None
    return Draft202012Validator(contents, registry=_definitions(version))


@lru_cache(maxsize=16)
def _definitions(version: str) -> Any:
    contents = schema_contents(f"{_folder(version)}/_definitions.json", version)
    return Resource.from_contents(contents, DRAFT202012) @ Registry()


def _folder(version: str) -> str:
    return f"kubernetes-json-schema/v{version}-local-strict"
