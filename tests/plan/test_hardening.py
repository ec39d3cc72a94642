"""Hardening: measures by the roles of a host, those that are taken back, and what sshd and sudo get to read."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import paramiko
import pytest

from nexus.environment import inventory
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan.desired import Desired
from roles.hardening import plan as hardening
from roles.hardening.measures import MEASURES, measures, taken_back
from tests.plan.environments import environment

DOCKER, PLAIN = "app1", "data1"
NEEDED_MODULES = {"overlay", "br_netfilter", "vxlan", "nf_tables", "ip_tables", "veth", "bridge", "ext4", "tun"}


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    return environment(tmp_path)


def plan(env: Environment, name: str = PLAIN) -> Desired:
    return hardening.plan(env, env.host(name))


def items(env: Environment, name: str = PLAIN) -> dict[str, Any]:
    [state] = plan(env, name).states
    return dict(state.items)


def text(env: Environment, path: str, name: str = PLAIN) -> str:
    return next(file.data.decode() for file in plan(env, name).files if file.path == path)


def names(env: Environment, host: str = PLAIN) -> list[str]:
    return [measure.name for measure in measures(env, env.host(host))]


def test_docker_keeps_forwarding_and_loose_sources(env: Environment) -> None:
    docker, plain = items(env, DOCKER), items(env)
    assert docker["sysctl net.ipv4.conf.*.rp_filter"] == {"value": "2"}
    assert plain["sysctl net.ipv4.conf.*.rp_filter"] == {"value": "1"}
    assert plain["sysctl net.ipv4.ip_forward"] == {"value": "0"}
    assert [name for name in docker if "forward" in name] == []  # Docker drops by default only if it turns it on
    assert "kernel-forwarding" not in names(env, DOCKER)


def test_forwarding_is_set_before_what_it_resets(env: Environment) -> None:
    lines = text(env, hardening.SYSCTL).splitlines()
    found = [number for number, line in enumerate(lines) if "accept_redirects" in line]
    assert found
    assert lines.index("net.ipv4.ip_forward = 0") < min(found)


def test_a_pattern_is_written_for_all_interfaces(env: Environment) -> None:
    lines = [line for line in text(env, hardening.SYSCTL).splitlines() if "ipv4" in line and "rp_filter" in line]
    assert lines == [f"net.ipv4.conf.{name}.rp_filter = 1" for name in ("all", "default", "*")]


def test_the_operators_own_kernel_setting_counts(tmp_path: Path) -> None:
    env = environment(tmp_path, base_sysctl={"kernel.sysrq": 438})
    assert "sysctl kernel.sysrq" not in items(env)
    assert "kernel.sysrq" not in text(env, hardening.SYSCTL)


def test_a_measure_is_taken_back_by_its_name(tmp_path: Path) -> None:
    env = environment(tmp_path, hardening_except=["umask", "kernel-bpf: our tracer needs it"])
    assert "login.defs UMASK" not in items(env)
    assert "/etc/sudoers.d/nexus-umask" not in [file.path for file in plan(env).files]
    assert not {"umask", "kernel-bpf"} & set(names(env))
    rows = taken_back(env.host(PLAIN))
    assert [(row.host, row.measure.name, row.why) for row in rows] == [
        (PLAIN, "umask", ""), (PLAIN, "kernel-bpf", "our tracer needs it"),
    ]  # fmt: skip


def test_an_unknown_measure_is_refused(tmp_path: Path) -> None:
    env = environment(tmp_path, hardening_except=["kernel-bfp: typo"])
    known = r'edge1: hardening_except has "kernel-bfp", .*did you mean "kernel-bpf"\?\nMeasures: ssh-algorithms, '
    with pytest.raises(OperatorError, match=known):
        hardening.notes(env)


def test_all_measures_can_be_taken_back(tmp_path: Path) -> None:
    env = environment(tmp_path, hardening_except=list(MEASURES))
    assert list(items(env)) == ["sshd"]
    assert text(env, hardening.SSHD) == text(env, hardening.SYSCTL) == ""


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda measure: measure.name)
def test_each_measure_says_what_and_why(measure: Any) -> None:
    assert measure.sets
    assert measure.reason.endswith(".")
    assert measure.check


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda measure: measure.name)
def test_each_measure_sets_something(tmp_path: Path, measure: Any) -> None:
    env = environment(tmp_path, hardening_banner="Go away", hardening_auditd=True, hardening_aide=True)
    part = measure.part(env, env.host(PLAIN))
    assert part.ssh or part.sysctl or part.files or part.states
    assert f"`{measure.name}`" in Path("roles/hardening/README.md").read_text()


def test_idle_shells_end_and_scripts_do_not(env: Environment, tmp_path: Path) -> None:
    script = tmp_path / "idle.sh"
    script.write_text(text(env, "/etc/profile.d/nexus-idle.sh"))
    words = f". {script}; . {script}; echo $TMOUT; bash -c 'echo script: $TMOUT'"
    done = subprocess.run(
        ["bash", "-c", words], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert (done.stdout.split(), done.stderr) == (["3600", "script:"], "")


def test_programs_that_watch_are_settings(tmp_path: Path, env: Environment) -> None:
    assert not {"audit", "file-integrity", "banner"} & set(names(env))
    watched = environment(tmp_path, hardening_auditd=True, hardening_aide=True, hardening_banner="Go away")
    assert {"audit", "file-integrity", "banner"} <= set(names(watched))
    assert {"auditd", "aide"} <= set(plan(watched).packages)
    assert "Banner /etc/issue.net" in text(watched, hardening.SSHD)


def test_modules_that_roles_need_stay(env: Environment) -> None:
    found = set(re.findall(r"^install (\S+) /bin/false$", text(env, "/etc/modprobe.d/nexus-hardening.conf"), re.M))
    assert {"dccp", "sctp", "usb-storage"} <= found
    assert not found & NEEDED_MODULES


def test_accounts_that_log_in_by_key_never_end(tmp_path: Path) -> None:
    env = environment(tmp_path, base_operators={"alice": ["ssh-ed25519 AAAA"]})
    assert {name for name in items(env) if name.startswith("account ")} == {"account deploy", "account alice"}


def test_the_lab_says_which_measures_it_cannot_have() -> None:
    loaded = inventory.load("lab")
    rows = taken_back(loaded.hosts[0])
    assert rows
    assert all("belongs to the machine" in row.why for row in rows)
    assert {"ssh-algorithms", "kernel-network"} <= set(names(loaded, loaded.hosts[0].name))


def test_runs_have_an_algorithm_of_each_kind(env: Environment) -> None:
    lines = text(env, hardening.SSHD).splitlines()
    offered = {words[0]: set(words[1].split(",")) for words in (line.split() for line in lines)}
    transport: Any = paramiko.Transport
    assert offered["KexAlgorithms"] & set(transport._preferred_kex)
    assert offered["Ciphers"] & set(transport._preferred_ciphers)
    assert offered["MACs"] & set(transport._preferred_macs)
    assert offered["HostKeyAlgorithms"] & set(transport._preferred_keys)


def test_jump_hosts_work(env: Environment) -> None:
    assert "AllowTcpForwarding local" in text(env, hardening.SSHD)


@pytest.mark.parametrize(("bits", "refused"), [(2048, True), (3072, False)])
def test_keys_that_are_too_short_are_refused(env: Environment, tmp_path: Path, bits: int, refused: bool) -> None:
    """Before sshd would refuse them; another key that is good is enough."""
    key = tmp_path / "key"
    make = ["ssh-keygen", "-q", "-t", "rsa", "-b", str(bits), "-N", "", "-f", str(key)]
    subprocess.run(make, check=True)
    (tmp_path / ".ssh").mkdir()
    keys = tmp_path / ".ssh/authorized_keys"
    keys.write_text((tmp_path / "key.pub").read_text())
    assert _refusal(env, tmp_path) is refused
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{key}-good"], check=True)
    keys.write_text(keys.read_text() + Path(f"{key}-good.pub").read_text())
    assert not _refusal(env, tmp_path)


def _refusal(env: Environment, home: Path) -> bool:
    command = str(hardening.preflight(env, env.host(PLAIN)))
    command = command.replace("getent passwd deploy", f"echo deploy:x:1:1::{home}:/bin/sh")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert not done.stderr
    assert (done.returncode == 1) == ("every key of deploy is an RSA key of less than 3072 bits" in done.stdout)
    return done.returncode == 1


@pytest.mark.skipif(not shutil.which("sshd", path="/usr/sbin"), reason="sshd is not installed")
def test_sshd_takes_the_file(env: Environment, tmp_path: Path) -> None:
    key, config = tmp_path / "host_key", tmp_path / "sshd_config"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    config.write_text(f"HostKey {key}\n{text(env, hardening.SSHD)}")
    done = subprocess.run(["/usr/sbin/sshd", "-t", "-f", str(config)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("visudo", path="/usr/sbin:/usr/bin"), reason="sudo is not installed")
def test_sudo_takes_its_files(env: Environment, tmp_path: Path) -> None:
    rules = [file for file in plan(env).files if file.path.startswith("/etc/sudoers.d/")]
    assert len(rules) == 2
    for file in rules:
        path = tmp_path / Path(file.path).name
        path.write_bytes(file.data)
        assert (file.mode, "." in path.name) == (0o440, False)  # sudo skips names with dots
        subprocess.run(["visudo", "-cf", str(path)], check=True, capture_output=True)
