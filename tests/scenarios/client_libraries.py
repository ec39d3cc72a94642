"""Client libraries of stores as users install them, packed with the program of driver/ that uses each in turn."""

from __future__ import annotations

import io
import json
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from container import Containers

DRIVER = Path(__file__).with_name("driver")
PYTHON = "3.13"  # of the images
LIBRARIES = {
    "node": {
        "postgresql": {"pg by DATABASE_URL", "pg by PG*", "pg by DB_*"},
        "redis": {"redis by REDIS_URL", "ioredis by REDIS_URL"},
        "rabbitmq": {"amqplib by AMQP_URL", "amqplib by RABBITMQ_URL"},
        "object-storage": {"client-s3 by AWS_*"},
    },
    "python": {
        "postgresql": {"psycopg by DATABASE_URL", "psycopg by PG*"},
        "redis": {"redis by REDIS_URL"},
        "rabbitmq": {"pika by AMQP_URL", "pika by RABBITMQ_URL"},
        "object-storage": {"boto3 by AWS_*"},
    },
}
COMMAND = {"node": ("node", "/mnt/stores.js"), "python": ("python3", "/mnt/stores.py")}
# Files that no program needs at run time; of AWS, the descriptions of all services except S3.
LEFT_OUT = re.compile(r"\.(d\.[cm]?ts|map|md|pyc)$|/dist-(es|types)(/|$)|^botocore/data/(?!s3/)[^/]+/")


def for_node(place: Path) -> bytes:
    """An archive with the libraries of driver/package.json, which are installed in the directory `place`."""
    place.mkdir()
    shutil.copy(DRIVER / "package.json", place)
    options = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
    _installed("npm", "install", "--prefix", str(place), *options)
    return _packed(place, "stores.js")


def for_python(place: Path) -> bytes:
    """An archive with the libraries of driver/requirements.txt, which are installed in the directory `place`."""
    systems = [f"--platform={name}_{platform.machine()}" for name in ("manylinux2014", "manylinux_2_28")]
    options = ["--python-version", PYTHON, "--only-binary=:all:", *systems]
    wanted = ("--target", str(place), "--requirement", str(DRIVER / "requirements.txt"))
    _installed(sys.executable, "-m", "pip", "install", "--quiet", *wanted, *options)
    return _packed(place, "stores.py")


def use(
    containers: Containers,
    language: str,
    stores: Mapping[str, Sequence[str]],
    environment: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Results of a language's libraries with services' stores: {"SERVICE: LIBRARY by VARIABLE": what it printed}."""
    commands = {service: [*COMMAND[language], *wanted] for service, wanted in stores.items()}
    answers = {service: json.loads(text) for service, text in containers.run(commands, environment).items()}
    for service, wanted in stores.items():
        assert set(answers[service]) == set().union(*(LIBRARIES[language][store] for store in wanted))
    return {f"{service}: {way}": answer for service, found in answers.items() for way, answer in found.items()}


def _installed(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def _packed(place: Path, program: str) -> bytes:
    def slim(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if LEFT_OUT.search(entry.name) else entry

    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        archive.add(DRIVER / program, program)
        for path in sorted(place.iterdir()):
            archive.add(path, path.name, filter=slim)
    return target.getvalue()
