"""A run that logs in as a user whom sshd would no longer admit is refused before anything changes."""

import os
import subprocess
from pathlib import Path

import pytest

from roles.base import plan as base
from tests.plan.store_environment import environment


@pytest.mark.parametrize(("user", "refused"), [("", False), ("deploy", False), ("debian", True), ("root", True)])
def test_only_the_planned_user_may_close_the_door(tmp_path: Path, user: str, refused: bool) -> None:
    env = environment(tmp_path)
    command = base.preflight(env, env.host("data1")).replace(base.GENERATION, str(tmp_path / "none"))
    own = {key: value for key, value in os.environ.items() if key != "SUDO_USER"}
    given = {**own, "SUDO_USER": user} if user else own
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, env=given)
    assert (done.returncode == 1) is refused, done.stdout
    if refused:
        assert f"this run logs in as {user}, and sshd would admit only deploy" in done.stdout
        assert f"set ssh_user in the inventory to deploy, or base_user to {user}" in done.stdout
