"""The entry point of an image, run as a process on this machine: secrets are literal, exits are passed on."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.plan.test_reference import TEMPLATES

ENTRY = TEMPLATES / "entry.sh"


def enter(directory: Path, *command: str, **variables: str) -> subprocess.Popen[str]:
    """The entry point with secrets from the directory, running the command."""
    env = {
        "PATH": os.environ["PATH"],
        "NEXUS_SECRETS": str(directory),
        "NEXUS_MARK": str(directory / "mark"),
        "NEXUS_CA_BUNDLE": str(directory / "bundle.pem"),
        "NEXUS_SYSTEM_CA_BUNDLE": str(directory / "system.pem"),
        "STOP_DELAY_S": "1",
        **variables,
    }
    pipe = subprocess.PIPE
    return subprocess.Popen(["sh", str(ENTRY), *command], env=env, stdout=pipe, stderr=pipe, text=True)


def test_secrets_are_taken_literally(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("# comment\nPLAIN=a b\n\nODD=$(id)`id`'\"\\n$HOME=x\n")
    (tmp_path / "credentials").write_text("PASSWORD=last line without an end")
    output, _ = enter(tmp_path, "sh", "-c", 'printf "%s|%s|%s" "$PLAIN" "$ODD" "$PASSWORD"').communicate(timeout=60)
    assert output == "a b|$(id)`id`'\"\\n$HOME=x|last line without an end"


@pytest.mark.parametrize("line", ["no equals sign", "1BAD=x", "BAD-NAME=x", "=x"])
def test_a_malformed_line_is_refused_without_showing_it(tmp_path: Path, line: str) -> None:
    (tmp_path / "config").write_text(f"GOOD=1\n{line}\n")
    process = enter(tmp_path, "true")
    _, error = process.communicate(timeout=60)
    assert process.returncode == 78
    assert "config line 2" in error
    assert line not in error


@pytest.mark.parametrize(
    ("on_term", "accepted", "status"),
    [("", "", 0), ("exit 1", "0 1 143", 0), ("exit 1", "0 143", 1), ("exit 7", "0 1 143", 7)],
)
def test_a_stop_ends_as_the_service_may_end(tmp_path: Path, on_term: str, accepted: str, status: int) -> None:
    trap = f'trap "{on_term}" TERM; ' if on_term else ""
    process = enter(tmp_path, "sh", "-c", f"{trap}echo up; while :; do sleep 0.05; done", STOP_STATUS=accepted)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == status
    process.communicate()


def test_a_stop_during_the_start_is_passed_on(tmp_path: Path) -> None:
    """The command itself requests the stop at once, often before the entry point has stored its process id."""
    command = "trap 'exit 7' TERM; kill -TERM $PPID; while :; do sleep 0.05; done"
    for _ in range(50):
        process = enter(tmp_path, "sh", "-c", command, STOP_STATUS="7", STOP_DELAY_S="0")
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, "")


@pytest.mark.parametrize(("command", "status"), [("exit 1", 1), ("exit 0", 0), ("kill -9 $$", 137)])
def test_an_unexpected_exit_is_passed_on(tmp_path: Path, command: str, status: int) -> None:
    process = enter(tmp_path, "sh", "-c", command, STOP_STATUS="0 1 143")
    process.communicate(timeout=60)
    assert process.returncode == status


TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE")


def test_clients_trust_our_ca_and_the_public_ones(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("ours\n")
    (tmp_path / "system.pem").write_text("public\n")
    show = "; ".join(f'echo "${name}"' for name in TRUST)
    output, _ = enter(tmp_path, "sh", "-c", show, CURL_CA_BUNDLE="/its own").communicate(timeout=10)
    bundle = str(tmp_path / "bundle.pem")
    assert output.splitlines() == [bundle, bundle, "/its own", bundle]
    assert (tmp_path / "bundle.pem").read_text() == "public\nours\n"


def test_without_our_ca_clients_keep_the_public_ones(tmp_path: Path) -> None:
    (tmp_path / "system.pem").write_text("public\n")
    output, _ = enter(tmp_path, "sh", "-c", 'echo "<${SSL_CERT_FILE:-}>"').communicate(timeout=10)
    assert output == "<>\n"
    assert not (tmp_path / "bundle.pem").exists()


def test_a_bundle_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("ours\n")
    process = enter(tmp_path, "true", NEXUS_CA_BUNDLE="/dev/null/bundle.pem")
    _, error = process.communicate(timeout=10)
    assert process.returncode == 78
    assert "cannot write /dev/null/bundle.pem" in error
