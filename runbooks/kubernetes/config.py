"""What pods get: configuration as ConfigMaps, credentials as Secrets or as references to the cluster's own store.

A ConfigMap is named by its content and immutable: a rollback finds the configuration of its release. A Secret keeps
its name, since credentials do not roll back; a hash in the pod's annotations restarts the pods when it changes.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from nexus.environment.fingerprint import keyed_hash
from nexus.error import OperatorError
from roles.docker.plan import registry_login
from roles.registry.plan import registry_name
from roles.service.contents import config, credentials, env_file, migration_credentials
from roles.service.released import released
from runbooks.kubernetes import graph, pod
from runbooks.kubernetes.item import NAME, Object, item
from runbooks.kubernetes.record import held_key

CREDENTIALS_HASH = "nexus-cos/credentials-hash"


def config_map(env: Environment, service: Service, namespace: str) -> Object:
    """The configuration of a service, under a name that tells its content.

    A service that went back keeps the configuration of that release, which the cluster has.
    """
    now = released(env, service.name)
    held = env.kept.get(held_key(now.config), {}) if now.pinned else {}
    text = held.get("text") or env_file(config(env, service, host=lambda name: graph.host(env.catalogue, name)))
    name = f"{service.name}-config-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
    return item("v1", "ConfigMap", name, namespace, labels={NAME: service.name}, immutable=True, data={"config": text})


def authorities(env: Environment) -> str:
    """The certificates by which services know the stores, as PEM."""
    given = str(env.setting.kubernetes_ca_file)
    if not given:
        return env.tls.certificate
    try:
        text = Path(given).expanduser().read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"kubernetes_ca_file={given} cannot be read: {error}") from None
    if "BEGIN CERTIFICATE" not in text:
        raise OperatorError(f"kubernetes_ca_file={given} holds no certificate: give a PEM file")
    return text


def secrets(env: Environment) -> list[Object]:
    """All Secrets with their values. They go to the cluster only, never into a file."""
    found = []
    authority = authorities(env)
    for service in env.catalogue.services.values():
        place = graph.namespace(env.catalogue, service)
        files = {"credentials": env_file(credentials(env, service)), "ca.pem": authority}
        found.append(_secret(pod.credentials(service.name), place, "Opaque", files, service.name))
        if service.migration:
            files = {**files, "credentials": env_file(migration_credentials(env, service))}
            found.append(_secret(pod.migration_credentials(service.name), place, "Opaque", files, service.name))
    if pull := pod.pull_secret(env):
        files = {".dockerconfigjson": registry_login(env, registry_name(env))}
        places = graph.namespaces(env.catalogue)
        found += [_secret(pull, place, "kubernetes.io/dockerconfigjson", files) for place in places]
    return found


def references(env: Environment) -> list[Object]:
    """The same Secrets for External Secrets, which fetches their values from the cluster's store."""
    found = []
    for kind, place, name in names(env):
        path = str(env.setting.kubernetes_secret_path).format(environment=env.name, name=name)
        spec = {
            "refreshInterval": str(env.setting.kubernetes_secret_refresh),
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": str(env.setting.kubernetes_secret_store)},
            "target": {"name": name, "creationPolicy": "Owner", "template": {"type": kind}},
            "dataFrom": [{"extract": {"key": path}}],
        }
        found.append(item("external-secrets.io/v1", "ExternalSecret", name, place, spec=spec))
    return found


def names(env: Environment) -> list[tuple[str, str, str]]:
    """(type, namespace, name) of every Secret."""
    found = []
    for service in env.catalogue.services.values():
        place = graph.namespace(env.catalogue, service)
        found.append(("Opaque", place, pod.credentials(service.name)))
        if service.migration:
            found.append(("Opaque", place, pod.migration_credentials(service.name)))
    if pull := pod.pull_secret(env):
        found += [("kubernetes.io/dockerconfigjson", place, pull) for place in graph.namespaces(env.catalogue)]
    return found


def with_hash(env: Environment, deployment: Object, secrets: Mapping[tuple[str, str], Object]) -> Object:
    """The Deployment with the hash of its Secret, so that its pods restart when a value changes."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    secret = secrets[metadata["namespace"], pod.credentials(metadata["name"])]
    hashed = keyed_hash(env, json.dumps(secret["data"], sort_keys=True))
    inner = spec["template"]
    template = {**inner, "metadata": {**inner["metadata"], "annotations": {CREDENTIALS_HASH: hashed}}}
    return {**deployment, "spec": {**spec, "template": template}}


def _secret(name: str, namespace: str, kind: str, files: Mapping[str, str], service: str = "") -> Object:
    data = {path: base64.b64encode(text.encode()).decode() for path, text in files.items()}
    labels = {NAME: service} if service else {}
    return item("v1", "Secret", name, namespace, labels=labels, type=kind, data=data)
