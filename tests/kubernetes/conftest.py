"""Control planes with nodes, and an operator who applies the catalogue: one for most tests, others for single tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from nexus.cache import cache_directory
from tests.kubernetes.control_plane import CONTEXT, ControlPlane
from tests.kubernetes.nodes import Nodes, Size
from tests.kubernetes.operator_project import NAME, Operator
from tests.library import toy_hosts

VERSION = re.compile(r"^require k8s\.io/kubernetes (\S+)$", re.MULTILINE)
NODES = [f"node{number}" for number in range(1, 7)]
ROOMY = Size(cpu="24", memory="64Gi", gpus=2)


@dataclass
class World:
    """A cluster, and the operator of its environment."""

    plane: ControlPlane
    nodes: Nodes
    operator: Operator

    def define(self, binaries: Path) -> None:
        """Install the kinds of Gateway API and of External Secrets."""
        self.plane.kubectl("apply", "--server-side", "-f", str(binaries / "definitions"))
        self.plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")


@pytest.fixture(scope="session")
def binaries() -> Path:
    """The directory of the servers, which tests/kubernetes/build.sh fills."""
    found = VERSION.search(Path(__file__).with_name("servers").joinpath("go.mod").read_text())
    assert found
    directory = cache_directory() / "kubernetes" / found[1]
    if not (directory / "built").is_file():
        pytest.fail(f"{directory} is not complete: start these tests by `make kubernetes`")
    return directory


def world(binaries: Path, directory: Path) -> Iterator[World]:
    """An empty cluster without nodes, until the caller is done with it."""
    for name in ("plane", NAME):
        (directory / name).mkdir()
    with ExitStack() as stack:
        plane = stack.enter_context(ControlPlane(directory / "plane", binaries))
        nodes = stack.enter_context(Nodes(plane))
        hosts = stack.enter_context(toy_hosts.hosts(directory, "ops1"))
        yield World(plane, nodes, Operator(directory / NAME, hosts, plane.kubeconfig, CONTEXT))


@pytest.fixture
def empty(binaries: Path, tmp_path: Path) -> Iterator[World]:
    """A cluster for one test, without nodes and without kinds of others."""
    yield from world(binaries, tmp_path)


@pytest.fixture(scope="session")
def first(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The cluster of most tests, with everything applied on nodes that have room for it."""
    for made in world(binaries, tmp_path_factory.mktemp("first")):
        made.define(binaries)
        made.nodes.add(NODES, ROOMY)
        done = made.operator.run("-y")
        assert done.status == 0, done.output
        yield made


@pytest.fixture
def applied(first: World) -> World:
    """The same cluster with everything as planned, whatever the test before left."""
    done = first.operator.run("-y")
    assert done.status == 0, done.output
    return first
