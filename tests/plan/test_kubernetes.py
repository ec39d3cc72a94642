"""Kubernetes: the rendered objects of an environment, and their files."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from nexus.catalogue import load as load_catalogue
from nexus.error import OperatorError
from runbooks.kubernetes import capacity, check, tree
from runbooks.kubernetes.item import NAME, Object, key
from runbooks.kubernetes.render import Rendered, render
from runbooks.kubernetes.report import checked, notes, written
from tests.plan import another_service
from tests.plan.kubernetes_environment import environment

SERVICES = 43
ROUTES = 44
OLDEST, NEWEST = check.schema.VERSIONS[0], check.schema.VERSIONS[-1]
SAMPLE = ("auth-service", "backend-api", "kei-ai", "boom-boom-room-live")
VARIANTS: dict[str, dict[str, Any]] = {
    "as usual": {},
    "fixed replicas": {"kubernetes_autoscale": False},
    "External Secrets": {"kubernetes_secrets": "external"},
    "Ingress": {"kubernetes_edge": "ingress", "kubernetes_edge_namespaces": ["ingress"]},
    "one replica of each": {"service_replicas_max": 1, "service_cpu_scale": 0, "service_memory_scale": 0.1},
    "no stores": {"kubernetes_stores": {}, "kubernetes_edge": "none"},
}


@pytest.fixture(autouse=True)
def _no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEXUS_SOURCE", raising=False)


def of_services(rendered: Rendered, *names: str) -> list[Object]:
    return [each for each in rendered.everything if each["metadata"]["labels"].get(NAME) in names]


def of(rendered: Rendered, kind: str) -> list[Object]:
    return [each for each in rendered.everything if each["kind"] == kind]


def one(rendered: Rendered, kind: str, name: str) -> Object:
    (found,) = (each for each in of(rendered, kind) if each["metadata"]["name"] == name)
    return found


def test_every_service_has_its_objects(tmp_path: Path) -> None:
    rendered = render(environment(tmp_path))
    for kind in ("Deployment", "Service", "ServiceAccount", "ConfigMap", "HorizontalPodAutoscaler"):
        assert len(of(rendered, kind)) == SERVICES, kind
    domains = {domain.namespace for domain in load_catalogue().platform.domains}
    assert len(domains) == 10
    assert {key(each)[2] for each in of(rendered, "Namespace")} == {*domains, "nexus-edge"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_check_finds_a_mistake(tmp_path: Path, variant: str) -> None:
    env = environment(tmp_path, **VARIANTS[variant])
    rendered = render(env, applied=True)
    assert len(rendered.everything) > 250
    assert check.own_findings(rendered.everything, check.expected(env)) == []
    sample = [
        each for each in rendered.everything if each["metadata"]["labels"].get("app.kubernetes.io/name") in SAMPLE
    ]
    assert len(sample) >= 24
    assert check.schema.findings(sample, [OLDEST, NEWEST]) == []


def test_sample_is_valid_in_every_version(tmp_path: Path) -> None:
    """All objects in all versions: tests/scenarios/test_kubernetes.py."""
    rendered = render(environment(tmp_path), applied=True)
    sample = [
        each for each in rendered.everything if each["metadata"]["labels"].get("app.kubernetes.io/name") == "kei-ai"
    ]
    assert {each["kind"] for each in sample} >= {"Deployment", "Secret", "NetworkPolicy", "PodDisruptionBudget"}
    assert len(check.schema.VERSIONS) >= 12
    assert check.schema.findings(sample, check.schema.VERSIONS) == []


def test_autoscaler_begins_at_the_catalogue(tmp_path: Path) -> None:
    """backend-api has 5 replicas in the catalogue and 3 as the least of its scaling."""
    rendered = render(environment(tmp_path))
    spec = one(rendered, "HorizontalPodAutoscaler", "backend-api")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (5, 20)
    assert "replicas" not in one(rendered, "Deployment", "backend-api")["spec"]


def test_an_autoscaler_keeps_the_upper_bound(tmp_path: Path) -> None:
    rendered = render(environment(tmp_path, service_replicas_max=3, service_replicas={"glitch": 4}))
    most = {each["metadata"]["name"]: each["spec"]["maxReplicas"] for each in of(rendered, "HorizontalPodAutoscaler")}
    assert most.pop("glitch") == 4  # named for this service alone
    assert set(most.values()) == {3}


def test_budgets_only_for_several_replicas(tmp_path: Path) -> None:
    rendered = render(environment(tmp_path))
    several = [each for each in of(rendered, "HorizontalPodAutoscaler") if each["spec"]["minReplicas"] > 1]
    assert len(of(rendered, "PodDisruptionBudget")) == len(several) > 30
    assert of(render(environment(tmp_path, service_replicas_max=1)), "PodDisruptionBudget") == []


def test_probes_follow_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def paths() -> set[str]:
        (container,) = one(render(environment(tmp_path)), "Deployment", "glitch")["spec"]["template"]["spec"][
            "containers"
        ]
        return {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}

    assert paths() == {"/health/live", "/health/ready"}
    (tmp_path / "code/services/glitch").mkdir(parents=True)
    monkeypatch.setenv("NEXUS_SOURCE", str(tmp_path / "code"))
    assert paths() == {"/health"}


def test_routes_reach_their_services(tmp_path: Path) -> None:
    rendered = render(environment(tmp_path))
    rules = {
        match["path"]["value"]: rule
        for each in of(rendered, "HTTPRoute")
        for rule in each["spec"]["rules"]
        for match in rule["matches"]
    }
    assert len(rules) == 3 * ROUTES
    for prefix, version in (("/api", "v2"), ("/api/v1", "v1"), ("/api/v2", "v2")):
        rule = rules[f"{prefix}/hollywood"]
        assert rule["backendRefs"][0]["name"] == "vscreen-hollywood"
        headers, rewrite = rule["filters"]
        assert {"name": "X-Api-Version", "value": version} in headers["requestHeaderModifier"]["set"]
        assert rewrite["urlRewrite"]["path"] == {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/api"}
    handshake = rules["/api/auth/register"]["filters"][0]["requestHeaderModifier"]
    assert {"name": "X-N3XUS-Handshake", "value": "55-45-17"} in handshake["set"]
    other = rules["/api/auth/login"]["filters"][0]["requestHeaderModifier"]
    assert other["remove"] == ["X-N3XUS-Handshake"]


def test_an_ingress_says_what_it_does_not_serve(tmp_path: Path) -> None:
    env = environment(tmp_path, **VARIANTS["Ingress"])
    told = "\n".join(notes(env))
    assert "/api/sessions/: session-mgr expects /sessions/, and an Ingress rewrites no path" in told
    assert "/api/auth/register: user-auth expects the header X-N3XUS-Handshake" in told
    paths = {path["path"] for each in of(render(env), "Ingress") for path in each["spec"]["rules"][0]["http"]["paths"]}
    assert len(paths) == ROUTES


def test_capacity_of_the_stated_cluster(tmp_path: Path) -> None:
    told = list(capacity.lines(environment(tmp_path)))
    assert told[0] == "requested: 102 cores, 204 GiB, 6 GPUs, 113 replicas"
    assert "6 nodes, 45 cores, 186 GiB" in told[1]
    assert told[2].startswith("Pending: ")
    assert "kei-ai 3" in told[2]
    large = {"kubernetes_nodes": 4, "kubernetes_node_cpus": 40, "kubernetes_node_memory_bytes": 2**37}
    told = list(capacity.lines(environment(tmp_path, **large, kubernetes_node_gpus=2)))
    assert told[2:] == ["Pending: nothing", "Pending after the loss of one node: nothing"]


def test_no_secret_in_any_file(tmp_path: Path) -> None:
    env = environment(tmp_path)
    rendered = render(env, applied=True)
    texts = "\n".join(tree.files(render(env)).values())
    values = [base64.b64decode(text).decode() for each in rendered.secrets for text in each["data"].values()]
    lines = {line.partition("=")[2] for value in values for line in value.splitlines() if "PASSWORD" in line}
    assert len(values) > 2 * SERVICES
    assert len(lines) > 20
    assert not any(line in texts for line in lines)
    assert env.secret("service/jwt") not in texts
    assert "kind: Secret\n" not in texts.replace("- kind: Secret\n", "")


def test_a_changed_secret_restarts_its_pods(tmp_path: Path) -> None:
    def template(name: str) -> Object:
        template: Object = one(render(env, applied=True), "Deployment", name)["spec"]["template"]
        return template

    env = environment(tmp_path)
    before = template("glitch"), template("key-service")
    env.setting._values["service_external_keys"] = {"STRIPE_API_KEY": ["key-service"]}
    env.secrets.get("external/STRIPE_API_KEY")
    assert template("glitch") == before[0]
    assert template("key-service") != before[1]


def test_a_second_rendering_is_equal(tmp_path: Path) -> None:
    assert any("Pending" in line for line in written(environment(tmp_path), tmp_path / "dist"))
    *_, last = written(environment(tmp_path), tmp_path / "dist")
    assert "without mistakes; 0 files changed" in last


def test_files_of_a_former_service_are_removed(tmp_path: Path) -> None:
    list(written(environment(tmp_path), tmp_path / "dist"))
    path = tmp_path / "dist/overlays/production/nexus-platform/glitch.yaml"
    assert path.is_file()
    list(written(environment(tmp_path, services_excluded=["glitch"]), tmp_path / "dist"))
    assert not path.exists()


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
@pytest.mark.parametrize("settings", [{}, {"services_excluded": ["glitch"], "kubernetes_dns_namespace": "dns"}])
def test_kustomize_builds_the_same_objects(tmp_path: Path, settings: dict[str, Any]) -> None:
    rendered = render(environment(tmp_path, **settings))
    tree.write(tmp_path / "dist", rendered)
    words = ["kubectl", "kustomize", str(tmp_path / "dist/overlays/production")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    built = {key(each): each for each in yaml.load_all(done.stdout, yaml.CSafeLoader)}
    assert built == {key(each): each for each in rendered.everything}


def test_a_44th_service_from_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = another_service.catalogue(tmp_path)
    env = environment(tmp_path, kubernetes_tags=True)
    env.__dict__["catalogue"] = catalogue
    monkeypatch.setattr("runbooks.kubernetes.tree.load", lambda: catalogue)
    monkeypatch.setattr("runbooks.kubernetes.render.reached", lambda env: env)
    rendered = render(env)
    mine = [
        each
        for each in rendered.everything
        if each["metadata"]["labels"].get("app.kubernetes.io/name") == another_service.NAME
    ]
    assert {each["kind"] for each in mine} >= {
        "Deployment",
        "Service",
        "ConfigMap",
        "NetworkPolicy",
        "PodDisruptionBudget",
    }
    (callers,) = (each for each in rendered.base if key(each) == ("NetworkPolicy", "nexus-ai", "kei-ai"))
    assert another_service.NAME in str(callers["spec"]["ingress"])
    assert any(path.endswith(f"nexus-ai/{another_service.NAME}.yaml") for path in tree.files(rendered))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"kubernetes_digests": {}}, "the digests of 43 images are not known"),
        ({"kubernetes_digests": {"glich": "sha256:0"}}, 'is not a service; did you mean "glitch"?'),
        ({"kubernetes_digests": {"glitch": "latest"}}, "write sha256: and 64 hex digits"),
        ({"kubernetes_stores": {"postgres": "a:1"}}, 'which is not a store; did you mean "postgresql"?'),
        ({"kubernetes_stores": {"postgresql": "10.0.0.5"}}, "write HOST:PORT"),
        ({"kubernetes_secrets": "vault"}, "use one of apply, external"),
        ({"kubernetes_edge": "nginx"}, "use one of gateway, ingress, none"),
        ({"kubernetes_edge": "ingress"}, "name that of the Ingress controller"),
        ({"kubernetes_ca_file": "/does/not/exist"}, "kubernetes_ca_file=/does/not/exist cannot be read"),
    ],
)
def test_a_wrong_setting_is_refused(tmp_path: Path, settings: dict[str, Any], text: str) -> None:
    with pytest.raises(OperatorError, match=r".*".join(text.split("*"))):
        checked(environment(tmp_path, **settings), applied=True)
