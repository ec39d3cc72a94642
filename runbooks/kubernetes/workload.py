"""What runs a service: Deployment or Job, Service, ServiceAccount, disruption budget and autoscaler."""

import hashlib

from nexus.catalogue import Service
from nexus.catalogue.operation import ScalingStep
from nexus.environment.environment import Environment
from roles.service.scale import size
from runbooks.kubernetes import pod
from runbooks.kubernetes.item import COMPONENT, MIGRATION, NAME, PORT, VERSION, Object, item, selector


def account(service: Service, namespace: str) -> Object:
    """The account of its pods, whose token no pod gets."""
    labels = {NAME: service.name}
    return item("v1", "ServiceAccount", service.name, namespace, labels=labels, automountServiceAccountToken=False)


def address(service: Service, namespace: str) -> Object:
    """The Service at which others reach it: NAME.NAMESPACE and the port of the catalogue."""
    ports = [{"name": PORT, "port": service.port, "targetPort": PORT, "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "selector": selector(service.name), "ports": ports}
    return item("v1", "Service", service.name, namespace, labels={NAME: service.name}, spec=spec)


def deployment(env: Environment, service: Service, namespace: str, image: str, release: str, config: str) -> Object:
    """Its Deployment; without `replicas` if an autoscaler decides them."""
    rollout, ready = env.catalogue.operations.rollout, env.setting.release_min_ready_seconds
    own = {} if autoscaled(env) else {"replicas": size(env, service).replicas}
    spec = {
        **own,
        "selector": {"matchLabels": selector(service.name)},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": rollout.max_surge, "maxUnavailable": rollout.max_unavailable},
        },
        "minReadySeconds": rollout.min_ready_seconds if ready is None else int(ready),
        "progressDeadlineSeconds": rollout.progress_deadline_seconds,
        "revisionHistoryLimit": int(env.setting.kubernetes_history),
        "template": pod.server(env, service, image, release, config),
    }
    labels = {NAME: service.name, VERSION: release}
    return item("apps/v1", "Deployment", service.name, namespace, labels=labels, spec=spec)


def migration(env: Environment, service: Service, namespace: str, image: str, release: str, config: str) -> Object:
    """The Job that runs its migration, named by the image and the command: the same migration never runs twice."""
    text = "\n".join([image, *service.migration])
    spec = {
        "backoffLimit": 0,
        "activeDeadlineSeconds": int(env.setting.release_migration_seconds),
        "template": pod.migration(env, service, image, release, config),
    }
    name = f"{service.name}-migration-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
    labels = {NAME: service.name, COMPONENT: MIGRATION}
    return item("batch/v1", "Job", name, namespace, labels=labels, spec=spec)


def autoscaled(env: Environment) -> bool:
    """Whether autoscalers decide the number of replicas."""
    return bool(env.setting.kubernetes_autoscale)


def budget(env: Environment, service: Service, namespace: str) -> Object | None:
    """Its disruption budget: one pod at a time. With one replica it would block every drain of a node."""
    if size(env, service).replicas < 2:
        return None
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": selector(service.name)}}
    return item("policy/v1", "PodDisruptionBudget", service.name, namespace, labels={NAME: service.name}, spec=spec)


def autoscaler(env: Environment, service: Service, namespace: str) -> Object | None:
    """Its autoscaler: from the planned replicas up to the catalogue's most, or to `service_replicas_max`."""
    if not autoscaled(env):
        return None
    asks, scaling = size(env, service), env.catalogue.operations.scaling
    rule = scaling.services.get(service.name, scaling.default)
    most = min(rule.max, env.setting.service_replicas_max or rule.max)
    bounds = {"memory": rule.memory_percent, **({"cpu": rule.cpu_percent} if asks.cpu_millicores else {})}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": service.name},
        "minReplicas": asks.replicas,
        "maxReplicas": max(most, asks.replicas),
        "metrics": [
            {"type": "Resource", "resource": {"name": name, "target": {"type": "Utilization", **_average(percent)}}}
            for name, percent in sorted(bounds.items())
        ],
        "behavior": {"scaleUp": _step(scaling.up), "scaleDown": _step(scaling.down)},
    }
    labels = {NAME: service.name}
    return item("autoscaling/v2", "HorizontalPodAutoscaler", service.name, namespace, labels=labels, spec=spec)


def _average(percent: float) -> dict[str, int]:
    return {"averageUtilization": round(percent)}


def _step(step: ScalingStep) -> Object:
    policy = {"type": "Percent", "value": round(step.step_percent), "periodSeconds": step.period_seconds}
    return {"stabilizationWindowSeconds": step.stabilise_seconds, "policies": [policy]}
