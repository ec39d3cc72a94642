"""Moto's server as a process on loopback behind the fault proxy."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nexus.provider.aws import access
from nexus.provider.aws.refusal import DEBIAN_OWNER
from tests.plan.aws_faults import Proxy
from tests.plan.loopback import Place

REGION, IMAGE = "eu-central-1", "ami-0debian13debian13"
UBUNTU = "ami-0ubuntu24ubuntu24"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
IMAGES = [
    {"ami_id": IMAGE, "owner_id": DEBIAN_OWNER, "name": "debian-13-amd64-20261101-2284"},
    {"ami_id": UBUNTU, "owner_id": "099720109477", "name": "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64"},
]
COMMON = {
    "state": "available", "public": True, "image_location": "x", "sriov": "simple", "root_device_type": "ebs",
    "root_device_name": "/dev/xvda", "description": "", "image_type": "machine", "platform": None,
    "architecture": "x86_64", "virtualization_type": "hvm", "hypervisor": "xen",
}  # fmt: skip


@contextmanager
def moto(directory: Path) -> Iterator[Proxy]:
    """Moto's server in its own process, and the proxy in front of it."""
    images = directory / "images.json"
    images.write_text(json.dumps([{**COMMON, **each} for each in IMAGES]))
    place = Place()
    port = place.ports[0]
    program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        program, env={"MOTO_AMIS_PATH": str(images), "PATH": "/usr/bin:/bin", "NO_PROXY": "*"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(port)
        proxy = Proxy(port)
        yield proxy
        proxy.shutdown()
    finally:
        process.terminate()
        process.wait(20)
        place.close()


def use(proxy: Proxy, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process reach the proxy in place of AWS, with credentials, and keep what it knows in a directory."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": proxy.url, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(directory / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(directory / "none"))
    monkeypatch.setattr(access, "FOLDER", str(directory / "cloud"))


def _wait(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/data.json", timeout=30) as answer:
                answer.read()
            return
        except OSError:
            assert time.monotonic() < end, "moto does not answer"
            time.sleep(0.1)
