"""The registry as planned: where it runs, and which users may log in."""

from __future__ import annotations

from pathlib import Path

import bcrypt
import yaml

from roles.registry import plan as registry
from tests.plan.image_environment import environment


def test_registry_password_file_is_stable_and_valid() -> None:
    line = registry.htpasswd("nexus", "correct horse")
    assert line == registry.htpasswd("nexus", "correct horse")
    user, hashed = line.strip().split(":")
    assert user == "nexus"
    assert bcrypt.checkpw(b"correct horse", hashed.encode())
    assert not bcrypt.checkpw(b"battery staple", hashed.encode())


def test_the_registry_is_on_the_first_ops_host_with_tls(tmp_path: Path) -> None:
    env = environment(tmp_path, registry_port=5001)
    assert registry.plan(env, env.host("ops2")).packages == ()
    found = registry.plan(env, env.host("ops1"))
    config = yaml.safe_load(next(f.data for f in found.files if f.path == registry.CONFIG))
    assert config["http"]["addr"] == "0.0.0.0:5001"
    assert config["http"]["tls"]["key"].endswith("leaf.key")
    assert config["auth"]["htpasswd"]["path"] == registry.PASSWORDS
    assert registry.repository(env, "glitch") == "ops1:5001/nexus-cos/glitch"
    assert all(env.secret("registry/nexus/a") not in file.data.decode() for file in found.files)
