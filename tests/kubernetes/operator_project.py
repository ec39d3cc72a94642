"""An operator's checkout with an environment for the cluster, and its runs: the real command line, over SSH.

The environment has one host, as docs/kubernetes.md asks for. Its roles are left out: nothing is deployed to it, and
what a run does on hosts is tested elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pprint import pformat
from typing import Any

import yaml

from tests.library import toy_hosts
from tests.library.toy_hosts import Host
from tests.library.toy_project import Outcome
from tests.plan.kubernetes_environment import FULL_SIZE, STORES, digests
from tests.plan.project_copy import PARTS, ROOT

NAME = "acme"
RUN_SECONDS = 1500
SHORTER = {  # seconds of the catalogue that only make a test wait
    "progress_deadline_seconds: 600": "progress_deadline_seconds: 150",
    "min_ready_seconds: 30": "min_ready_seconds: 2",
}


class Operator:
    """A checkout, its environment and the way to the cluster that `kubeconfig` names."""

    def __init__(self, root: Path, hosts: dict[str, Host], kubeconfig: Path, context: str) -> None:
        self.root, self.kubeconfig = root, kubeconfig
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
            copy(ROOT / part, root / part)
        self._edit("config.py", "from roles.table import ROLES", "from nexus.run.role import Roles")
        self._edit("config.py", "begin(ROLES)", 'begin(Roles("roles", {}))')
        for old, new in SHORTER.items():
            self._edit("group_data/catalogue/operations.yaml", old, new)
        members = list(toy_hosts.data(root.parent, hosts).items())
        (root / f"inventory/{NAME}.py").write_text(f"ops = {pformat(members)}\n")
        self.settings: dict[str, Any] = {
            "provider": "ssh",
            "domain": "nexus.example.com",
            "secrets_file": "secrets.age",
            "secrets_generate": True,
            "service_engine": "kubernetes",
            "kubernetes_context": context,
            "kubernetes_stores": STORES,
            "kubernetes_digests": digests(),
            **FULL_SIZE,
        }

    def run(self, *words: str, **settings: Any) -> Outcome:
        """Run deploys/kubernetes.py with these arguments, and with settings of this run alone."""
        return self.carry_out("kubernetes", *words, **settings)

    def carry_out(self, deploy: str, /, *words: str, **settings: Any) -> Outcome:
        """The same with another deploy."""
        merged = {"_sudo": False, **self.settings, **settings}
        text = "".join(f"{name} = {value!r}\n" for name, value in merged.items())
        (self.root / f"group_data/{NAME}.py").write_text(text)
        done = subprocess.run(
            [str(Path(sys.executable).with_name("pyinfra")), "inventory", f"deploys/{deploy}.py", *words],
            cwd=self.root, env=self._variables(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=RUN_SECONDS, check=False,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout + done.stderr)

    def _variables(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("NEXUS_")}
        own = {"NEXUS_ENV": NAME, "NEXUS_AGE_IDENTITY": str(self.root / "age.key"), "HOME": str(self.root)}
        more = {"KUBECONFIG": str(self.kubeconfig), "XDG_CACHE_HOME": str(self.root / ".cache")}
        return {**kept, **own, **more}

    @contextmanager
    def edited(self, path: str, old: str, new: str) -> Iterator[None]:
        """A file of the checkout with another text, which occurs in it once, while the block runs."""
        before = self._edit(path, old, new)
        try:
            yield
        finally:
            (self.root / path).write_text(before)

    @contextmanager
    def with_token(self, token: str) -> Iterator[None]:
        """The operator as the user that this token belongs to, while the block runs."""
        before, config = self.kubeconfig, yaml.safe_load(self.kubeconfig.read_text())
        for user in config["users"]:
            user["user"] = {"token": token}
        self.kubeconfig = self.root / "other.kubeconfig"
        self.kubeconfig.write_text(yaml.safe_dump(config))
        try:
            yield
        finally:
            self.kubeconfig = before

    def _edit(self, path: str, old: str, new: str) -> str:
        """Replace a text that occurs once; the file as it was."""
        file = self.root / path
        text = file.read_text()
        assert text.count(old) == 1, f"{path} has {text.count(old)} times {old!r}"
        file.write_text(text.replace(old, new))
        return text
