"""A control plane of Kubernetes on loopback: etcd, API server, controllers and scheduler, with ports of their own.

Users are known by tokens. Nothing listens on another address, and everything is stored in one directory.
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests
import yaml

from nexus.pki.ca import Authority

START_SECONDS = 180  # on a machine that does something else too
STOP_SECONDS = 20
SERVICES = "10.96.0.0/16"  # addresses of Services, which only this cluster's objects name
USERS = {"admin": "system:masters", "controllers": "system:masters", "scheduler": "", "nodes": "system:masters"}
NAMES = {"scheduler": "system:kube-scheduler"}  # that user has its permissions by name
CONTEXT = "loopback"


class ControlPlane:
    """The servers, each with its log in the directory; `binaries` has those of Kubernetes."""

    def __init__(self, directory: Path, binaries: Path) -> None:
        self.directory, self.binaries = directory, binaries
        self.ports = dict(zip(("client", "peer", "api", "controllers", "scheduler"), _ports(5), strict=True))
        self.address = f"https://127.0.0.1:{self.ports['api']}"
        self.tokens = {user: secrets.token_hex(16) for user in USERS}
        self._stack = ExitStack()

    def __enter__(self) -> ControlPlane:
        self._write_files()
        try:
            self._start_etcd()
            self._start_api()
            self._wait_until_ready()
            self._start_controllers()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def kubeconfig(self) -> Path:
        """The administrator's configuration of kubectl."""
        return self._file("admin.kubeconfig")

    def session(self, user: str) -> requests.Session:
        """Requests to the API server as this user."""
        session = requests.Session()
        session.verify = str(self._file("ca.pem"))
        session.headers["Authorization"] = f"Bearer {self.tokens[user]}"
        session.trust_env = False
        return session

    def kubectl(self, *words: str, data: str = "", accepted: Iterable[int] = (0,)) -> str:
        """Output of kubectl as the administrator, both streams; AssertionError for another exit status."""
        argv = ["kubectl", f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.directory}/cache", *words]
        done = subprocess.run(argv, input=data, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode in accepted, f"{words}: {done.returncode}: {done.stderr}"
        return done.stdout + done.stderr

    def items(self, kind: str, *words: str) -> list[dict[str, Any]]:
        """Objects of a kind in all namespaces."""
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", kind, "-A", "-o", "json", *words))["items"]
        return found

    def _file(self, name: str) -> Path:
        return self.directory / name

    def _write_files(self) -> None:
        authority = Authority.create("kubernetes")
        leaf = authority.leaf(["127.0.0.1", "localhost"])
        lines = [f'{self.tokens[user]},{NAMES.get(user, user)},{user},"{group}"\n' for user, group in USERS.items()]
        texts = {"ca.pem": authority.certificate, "cert.pem": leaf.certificate, "key.pem": leaf.key}
        texts["tokens.csv"] = "".join(lines)
        texts |= {f"{user}.kubeconfig": self._kubeconfig(user) for user in USERS}
        for name, text in texts.items():
            self._file(name).write_text(text)
            self._file(name).chmod(0o600)

    def _kubeconfig(self, user: str) -> str:
        cluster = {"server": self.address, "certificate-authority": str(self._file("ca.pem"))}
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": CONTEXT, "cluster": cluster}],
                "users": [{"name": user, "user": {"token": self.tokens[user]}}],
                "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": user}}],
                "current-context": CONTEXT,
            }
        )

    def _start_etcd(self) -> None:
        client, peer = (f"127.0.0.1:{self.ports[name]}" for name in ("client", "peer"))
        program = shutil.which("etcd")
        assert program, "etcd is missing: tests/tools.sh installs it"
        tls = {"cert-file": "cert.pem", "key-file": "key.pem", "trusted-ca-file": "ca.pem"}
        self._start(
            Path(program),
            f"--data-dir={self._file('etcd')}",
            f"--listen-client-urls=https://{client}",
            f"--advertise-client-urls=https://{client}",
            "--client-cert-auth",
            f"--listen-peer-urls=http://{peer}",
            f"--initial-advertise-peer-urls=http://{peer}",
            f"--initial-cluster=default=http://{peer}",
            "--unsafe-no-fsync",  # nothing here outlives the test
            *(f"--{flag}={self._file(name)}" for flag, name in tls.items()),
        )

    def _start_api(self) -> None:
        certificate, key, authority = (self._file(name) for name in ("cert.pem", "key.pem", "ca.pem"))
        self._start(
            self.binaries / "kube-apiserver",
            f"--etcd-servers=https://127.0.0.1:{self.ports['client']}",
            f"--etcd-cafile={authority}",
            f"--etcd-certfile={certificate}",
            f"--etcd-keyfile={key}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.ports['api']}",
            "--endpoint-reconciler-type=none",  # an address on loopback is refused as an endpoint
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--token-auth-file={self._file('tokens.csv')}",
            "--authorization-mode=RBAC",
            f"--service-cluster-ip-range={SERVICES}",
            f"--service-account-issuer={self.address}",
            f"--service-account-key-file={certificate}",
            f"--service-account-signing-key-file={key}",
            "--default-not-ready-toleration-seconds=5",  # pods of a lost node, which 5 minutes later move otherwise
            "--default-unreachable-toleration-seconds=5",
        )

    def _start_controllers(self) -> None:
        common = ["--leader-elect=false", "--bind-address=127.0.0.1", "--authentication-tolerate-lookup-failure"]
        controllers, scheduler = (self._file(f"{user}.kubeconfig") for user in ("controllers", "scheduler"))
        self._start(
            self.binaries / "kube-controller-manager",
            *common,
            f"--secure-port={self.ports['controllers']}",
            f"--kubeconfig={controllers}",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={self._file('key.pem')}",
            f"--root-ca-file={self._file('ca.pem')}",
            "--horizontal-pod-autoscaler-sync-period=5s",
            "--node-monitor-period=2s",
            "--node-monitor-grace-period=30s",
        )
        words = [*common, f"--secure-port={self.ports['scheduler']}", f"--kubeconfig={scheduler}"]
        self._start(self.binaries / "kube-scheduler", *words)

    def _start(self, program: Path, *words: str) -> None:
        log = self._stack.enter_context(self._file(f"{program.name}.log").open("w"))
        process = subprocess.Popen([str(program), *words], stdout=log, stderr=log, cwd=self.directory)
        self._stack.callback(_stop, process)

    def _wait_until_ready(self) -> None:
        session, end, said = self.session("admin"), time.monotonic() + START_SECONDS, ""
        while time.monotonic() < end:
            try:
                answer = session.get(f"{self.address}/readyz?verbose", timeout=10)
                if answer.ok:
                    return
                said = answer.text
            except requests.RequestException as error:
                said = str(error)
            time.sleep(0.5)
        log = self._file("kube-apiserver.log").read_text()[-3000:]
        raise AssertionError(f"the API server is not ready: {said}\n{log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ports(count: int) -> list[int]:
    """Ports of loopback that nothing listens on."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in taken]
    for each in taken:
        each.close()
    return ports
