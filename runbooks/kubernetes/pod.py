"""The pod of a service: its container, probes, requests, files and place."""

from typing import Any

from nexus.catalogue import Service
from nexus.catalogue.observation import Check
from nexus.catalogue.size import Size
from nexus.environment.environment import Environment
from roles.image.runtime import probes
from roles.registry.plan import registry_name
from roles.service.access import DIRECTORY
from roles.service.scale import size
from runbooks.kubernetes.item import COMPONENT, MIGRATION, NAME, OURS, PORT, SERVER, VERSION, Object, selector

CONTAINER = "service"
ZONE = "topology.kubernetes.io/zone"


def quantity(memory_bytes: int) -> str:
    """Memory as Kubernetes writes it: in Mi if that is exact."""
    mebibytes, rest = divmod(memory_bytes, 2**20)
    return str(memory_bytes) if rest else f"{mebibytes}Mi"


def resources(env: Environment, service: Service, asks: Size) -> Object:
    """Requests, and limits: memory always, CPU only if the catalogue states a limit."""
    stated = env.catalogue.operations.scaling.limits.get(service.name)
    requests = {"memory": quantity(asks.memory_bytes)}
    limits = {"memory": quantity(max(asks.memory_bytes, stated.memory if stated else 0))}
    if asks.cpu_millicores:
        requests["cpu"] = f"{asks.cpu_millicores}m"
        if stated:
            limits["cpu"] = f"{max(asks.cpu_millicores, stated.cpu)}m"
    if asks.gpus:
        requests["nvidia.com/gpu"] = limits["nvidia.com/gpu"] = str(asks.gpus)
    return {"requests": requests, "limits": limits}


def _probe(path: str, check: Check) -> Object:
    return {
        "httpGet": {"path": path, "port": PORT},
        "initialDelaySeconds": check.initial_delay_seconds,
        "periodSeconds": check.period_seconds,
        "timeoutSeconds": check.timeout_seconds,
        "failureThreshold": check.failures,
    }


def _probes(env: Environment, service: Service) -> Object:
    """A service that starts is asked for its liveness: a store that is down must not restart it."""
    paths, checks = probes(env, service.name), env.catalogue.operations.health_checks
    return {
        "startupProbe": _probe(paths.liveness, checks.startup),
        "livenessProbe": _probe(paths.liveness, checks.liveness),
        "readinessProbe": _probe(paths.readiness, checks.readiness),
    }


def _container(env: Environment, service: Service, image: str) -> Object:
    return {
        "name": CONTAINER,
        "image": image,
        "resources": resources(env, service, size(env, service)),
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "files", "mountPath": DIRECTORY, "readOnly": True}],
    }


def _spec(env: Environment, service: Service, container: Object, config: str, credentials: str) -> Object:
    files = [{"configMap": {"name": config}}, {"secret": {"name": credentials}}]
    pull = pull_secret(env)
    user = int(env.setting.image_user_id)
    return {
        "serviceAccountName": service.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        **({"imagePullSecrets": [{"name": pull}]} if pull else {}),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "files", "projected": {"defaultMode": 0o444, "sources": files}}],
    }


def server(env: Environment, service: Service, image: str, release: str, config: str) -> Object:
    """The template of the pods that serve requests."""
    delay = int(env.setting.kubernetes_stop_delay_seconds)
    container = {
        **_container(env, service, image),
        "ports": [{"name": PORT, "containerPort": service.port, "protocol": "TCP"}],
        **_probes(env, service),
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(delay)]}}},
    }
    spec = _spec(env, service, container, config, credentials(service.name))
    spec["terminationGracePeriodSeconds"] = delay + int(env.setting.service_stop_seconds)
    spec["topologySpreadConstraints"] = [_spread(service, key) for key in ("kubernetes.io/hostname", ZONE)]
    labels = {**OURS, NAME: service.name, COMPONENT: SERVER, VERSION: release}
    return {"metadata": {"labels": labels}, "spec": spec}


def migration(env: Environment, service: Service, image: str, release: str, config: str) -> Object:
    """The template of the pod that brings the service's database up to a release."""
    container = {**_container(env, service, image), "args": list(service.migration)}
    spec = _spec(env, service, container, config, migration_credentials(service.name))
    labels = {**OURS, NAME: service.name, COMPONENT: MIGRATION, VERSION: release}
    return {"metadata": {"labels": labels}, "spec": {**spec, "restartPolicy": "Never"}}


def credentials(name: str) -> str:
    """Name of the Secret with the logins of a service."""
    return f"{name}-credentials"


def migration_credentials(name: str) -> str:
    """Name of the Secret with the logins of its migration."""
    return f"{name}-migration"


def pull_secret(env: Environment) -> str:
    """Name of the Secret with the login at the registry; empty if there is none."""
    return str(env.setting.kubernetes_pull_secret) if registry_name(env) else ""


def _spread(service: Service, key: str) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector(service.name)},
    }
