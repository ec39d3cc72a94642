"""A cluster of Kubernetes as a file: a run whose kubectl is a program that plays it."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from nexus.run.run import Run
from nexus.run.runbook import Act
from runbooks.kubernetes import deploy, rollout, tree
from runbooks.release import back, forward
from tests.plan.fake_run import FakeRun
from tests.plan.kubernetes_environment import digests, environment

FAKE = Path(__file__).with_name("fake_kubectl.py")
NEW = "sha256:" + "f" * 64


class Played(FakeRun):
    """A run that reaches no host, and a cluster."""

    def __init__(self, directory: Path, services: Collection[str] = ()) -> None:
        self.directory, self.changes = directory, defaultdict[str, list[Any]](list)
        self.excluded = [name for name in digests() if services and name not in services]
        self.set()

    def set(self, **settings: Any) -> Run:
        """Use these settings from now on."""
        engine = {"kubernetes_context": "test", "service_engine": "kubernetes", "services_excluded": self.excluded}
        self.environment = environment(self.directory, **{**engine, **settings})
        return cast(Run, self)

    def reaches(self, name: str) -> bool:
        """One host, which has no registry."""
        return name.startswith("app1")

    def start(self, **settings: Any) -> list[str]:
        """What deploys/kubernetes.py did."""
        return self._do(deploy.plan(self.set(**settings)))

    def release(self, *names: str, number: str, canary: int = 0, **settings: Any) -> list[str]:
        """What deploys/release.py did."""
        known = {"kubernetes_digests": {**digests(), **dict.fromkeys(names, NEW)}, "release": number}
        return self._do(forward(self.set(**{**known, **settings}), names, canary, False))

    def back(self, *names: str, to: str = "") -> list[str]:
        """What deploys/rollback.py did."""
        return self._do(back(self.set(), names, to))

    def _do(self, acts: Sequence[Act]) -> list[str]:
        self.environment.secrets.save()  # as a run does before its first act
        for act in acts:
            act.do()
        return [act.what for act in acts]

    @property
    def cluster(self) -> dict[str, Any]:
        """All objects, as the program keeps them."""
        found: dict[str, Any] = json.loads((self.directory / "cluster.json").read_text())
        return found

    def deployment(self, name: str) -> dict[str, Any]:
        """The Deployment of a service."""
        (found,) = (
            each for key, each in self.cluster.items() if key.startswith("Deployment ") and key.endswith(f" {name}")
        )
        return dict(found)

    def image(self, name: str) -> str:
        """The image that a service runs."""
        return str(self.deployment(name)["spec"]["template"]["spec"]["containers"][0]["image"])


def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, services: Collection[str] = ()) -> Played:
    """A run on an empty cluster, for these services or all."""
    monkeypatch.delenv("NEXUS_SOURCE", raising=False)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/kubectl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("FAKE_CLUSTER", str(tmp_path / "cluster.json"))
    monkeypatch.setattr(deploy, "executing", lambda: True)
    monkeypatch.setattr(tree, "directory", lambda: tmp_path / "dist")
    monkeypatch.setattr(rollout, "POLL_SECONDS", 0)
    return Played(tmp_path, services)
