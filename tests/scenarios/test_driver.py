"""Stores as the usual client libraries reach them: from inside each service's container, with its environment alone.

The libraries are brought along, for the language of the image. The only service in Python is billing-service, with
code of its own: it is released from a made-up checkout. It declares neither Redis nor object storage, so those are
asked in its container with the environment of a service that does.
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
from conftest import Figure
from container import Containers
from control import PROJECT, Control
from library import LIBRARIES, for_node, for_python, use

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
    """Converged with the reference service, which is in Node.js, for every service."""
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
    """Containers, one of which has an image with Python, and the libraries of Python."""
    archive = for_python(tmp_path / "python")
    checkout = make_checkout(tmp_path / "platform", reference.planned.catalogue, {PYTHON_SERVICE})
    release = f"9.1.{uuid.uuid4().int % 10**9}"
    data = {"services": PYTHON_SERVICE, "release": release, "build": True, "image_source": str(checkout)}
    done = reference.run(deploy="deploys/release.py", data=data)
    assert done.status == 0, done.end
    figure("drivers: the release of a service in Python", done.seconds)
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
    assert environment["NODE_EXTRA_CA_CERTS"] == OWN  # Node.js adds it to its own
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
    """The stores that services declare and that the environment has, of services that declare any."""
    env = control.planned
    found = {
        service.name: [store for store in service.stores if env.present(store, service.name)]
        for service in env.catalogue.services.values()
    }
    return {name: stores for name, stores in found.items() if stores}


def sample(declared: Mapping[str, list[str]], wanted: Iterable[str]) -> dict[str, list[str]]:
    """Services drawn until each wanted store was declared by one of them, each with those that were still wanted."""
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
    """The libraries and variables that were tried."""
    return {name.split(": ")[1] for name in answers}


def failed(answers: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Errors by service and way."""
    return {name: answer["error"] for name, answer in answers.items() if "error" in answer}


def not_refused(answers: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Answers that do not say that the server's certificate is from an unknown authority."""
    return {name: answer for name, answer in answers.items() if not REFUSED.search(answer.get("error", ""))}


def told(figure: Figure, language: str, answers: Mapping[str, dict[str, Any]]) -> None:
    """Keep the figures of a language."""
    figure(f"drivers: connections of {language}", len(answers))
    figure(f"drivers: services asked by {language}", len({name.split(": ")[0] for name in answers}))
    figure(f"drivers: slowest way of {language} in ms", max(answer["milliseconds"] for answer in answers.values()))
