"""Stores as the usual client libraries reach them: from each service's container, with only its environment variables.

The test brings the libraries for the language of the image. The only service in Python is billing-service, with its
own code: it is released from a made-up checkout. It declares neither Redis nor object storage, so the test uses these
in its container with the environment of a service that declares them.
"""

from __future__ import annotations

import random
import re
import shutil
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from client_libraries import LIBRARIES, for_node, for_python, use
from conftest import Figure
from container import Containers
from control import PROJECT, Control

from roles.image.checkout import source

sys.path.insert(0, str(PROJECT / "tests"))
from fixtures.checkout import make_checkout

SEED = 43
PYTHON_SERVICE = "billing-service"
PUBLIC = "/etc/ssl/certs/ca-certificates.crt"
OWN = "/run/secrets/ca.pem"
BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE")
STRANGERS = dict.fromkeys((*BUNDLES, "NODE_EXTRA_CA_CERTS", "PGSSLROOTCERT"), PUBLIC)
REFUSED = re.compile(r"self.signed certificate|unable to (get|verify)|certificate.verify.failed", re.IGNORECASE)
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


@pytest.fixture(scope="module")
def reference(control: Control) -> Control:
    """The converged environment, where every service runs the reference service in Node.js."""
    if source(control.planned):
        pytest.skip("the images are taken for those of the reference service, and NEXUS_SOURCE names real code")
    return control


@pytest.fixture(scope="module")
def node(reference: Control, tmp_path_factory: pytest.TempPathFactory) -> Containers:
    """The containers of all services, and the libraries of Node.js."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    return Containers(reference, for_node(tmp_path_factory.mktemp("libraries") / "node"))


@pytest.fixture
def python(reference: Control, tmp_path: Path, figure: Figure) -> Iterator[Containers]:
    """Containers, one with a Python image, and the libraries of Python."""
    archive = for_python(tmp_path / "python")
    checkout = make_checkout(tmp_path / "platform", reference.planned.catalogue, {PYTHON_SERVICE})
    release = f"9.1.{uuid.uuid4().int % 10**9}"
    data = {"services": PYTHON_SERVICE, "release": release, "build": True, "image_source": str(checkout)}
    done = reference.run(deploy="deploys/release.py", data=data)
    assert done.status == 0, done.end
    figure("drivers: release of a service in Python", done.seconds)
    yield Containers(reference, archive)
    back = reference.run(deploy="deploys/rollback.py", data={"services": PYTHON_SERVICE})
    assert back.status == 0, back.end
    assert reference.converged().closing[0] == 0


def test_node_reaches_every_store(node: Containers, full: bool, figure: Figure) -> None:
    declared = stores_of(node.control)
    assert set(declared) <= set(node.hosts)
    answers = use(node, "node", declared if full else sample(declared, LIBRARIES["node"]))
    assert failed(answers) == {}
    assert ways(answers) == set().union(*LIBRARIES["node"].values())
    told(figure, "Node.js", answers)


def test_node_refuses_another_authority(node: Containers) -> None:
    refused: dict[str, Any] = {}
    for service, stores in sample(stores_of(node.control), LIBRARIES["node"]).items():
        refused |= use(node, "node", {service: stores}, node.environment(service) | STRANGERS)
    assert not_refused(refused) == {}
    assert ways(refused) == set().union(*LIBRARIES["node"].values())


def test_public_authorities_stay_trusted(node: Containers) -> None:
    service = next(iter(stores_of(node.control)))
    environment = node.environment(service)
    assert environment["NODE_EXTRA_CA_CERTS"] == OWN  # Node.js adds it to its built-in ones
    public, own = authorities(node, service, PUBLIC), authorities(node, service, OWN)
    assert len(public) > 100
    assert len(own) == 1
    assert {name: authorities(node, service, environment[name]) == public | own for name in BUNDLES} == dict.fromkeys(
        BUNDLES, True
    )


def test_python_reaches_every_store(python: Containers, figure: Figure) -> None:
    declared = stores_of(python.control)
    own = declared.pop(PYTHON_SERVICE)
    answers = use(python, "python", {PYTHON_SERVICE: own})
    refused = use(python, "python", {PYTHON_SERVICE: own}, python.environment(PYTHON_SERVICE) | STRANGERS)
    for service, stores in sample(declared, set(LIBRARIES["python"]) - set(own)).items():
        environment = python.environment(service)
        answers |= use(python, "python", {PYTHON_SERVICE: stores}, environment)
        refused |= use(python, "python", {PYTHON_SERVICE: stores}, environment | STRANGERS)
    assert failed(answers) == {}
    assert not_refused(refused) == {}
    assert ways(answers) == ways(refused) == set().union(*LIBRARIES["python"].values())
    told(figure, "Python", answers)


def stores_of(control: Control) -> dict[str, list[str]]:
    """For each service with stores, the declared stores that the environment has."""
    env = control.planned
    found = {
        service.name: [store for store in service.stores if env.present(store, service.name)]
        for service in env.catalogue.services.values()
    }
    return {name: stores for name, stores in found.items() if stores}


def sample(declared: Mapping[str, list[str]], wanted: Iterable[str]) -> dict[str, list[str]]:
    """Services drawn until every wanted store is covered, each with the stores that it covers."""
    chance, missing, found = random.Random(SEED), set(wanted), {}
    for name in chance.sample(sorted(declared), len(declared)):
        if stores := [store for store in declared[name] if store in missing]:
            found[name] = stores
            missing -= set(stores)
    assert not missing
    return found


def authorities(containers: Containers, service: str, path: str) -> set[str]:
    """The certificates in a file of a service's container."""
    return set(CERTIFICATE.findall(containers.run({service: ["cat", path]})[service]))


def ways(answers: Mapping[str, Any]) -> set[str]:
    """The combinations of library and variable that were tried."""
    return {name.split(": ")[1] for name in answers}


def failed(answers: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Errors by service and combination."""
    return {name: answer["error"] for name, answer in answers.items() if "error" in answer}


def not_refused(answers: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Answers that do not blame an unknown authority of the server's certificate."""
    return {name: answer for name, answer in answers.items() if not REFUSED.search(answer.get("error", ""))}


def told(figure: Figure, language: str, answers: Mapping[str, dict[str, Any]]) -> None:
    """Keep the figures of a language."""
    figure(f"drivers: connections of {language}", len(answers))
    figure(f"drivers: services asked by {language}", len({name.split(": ")[0] for name in answers}))
    figure(
        f"drivers: slowest combination of {language} in ms", max(answer["milliseconds"] for answer in answers.values())
    )
