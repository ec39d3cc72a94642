"""Secrets, sources and hosts that a run cannot use are refused, and so is a second run at the same time.

As in test_bad_input.py, the real command line runs in a copy of the project.
"""

from __future__ import annotations

import paramiko
import pyrage
import pytest

from tests.plan.project_copy import NOTHING, Project, refused, write_secrets

# Secrets


def test_secrets_that_are_not_there(project: Project) -> None:
    (project.root / ".lab/secrets.age").unlink()
    outcome = project.deploy("--data", "secrets_generate=false")
    refused(project, outcome, ".lab/secrets.age is missing", "Create it with `make secrets`")


def test_a_missing_secret_where_none_may_be_created(project: Project) -> None:
    outcome = project.deploy("--data", "secrets_generate=false")
    refused(project, outcome, 'secret "', " is missing in ", "add missing secrets with `make secrets`")


def test_secrets_that_are_cut_short(project: Project) -> None:
    sealed = project.root / ".lab/secrets.age"
    sealed.write_bytes(sealed.read_bytes()[:-40])
    refused(project, project.deploy(), ".lab/secrets.age cannot be decrypted with the key in")


def test_secrets_of_another_key(project: Project) -> None:
    write_secrets(project, {}, key=pyrage.x25519.Identity.generate())
    outcome = project.deploy()
    refused(project, outcome, ".lab/secrets.age cannot be decrypted", "Set NEXUS_AGE_IDENTITY to the right key")


def test_secrets_that_hold_something_else(project: Project) -> None:
    write_secrets(project, ["a"])
    refused(project, project.deploy(), ".lab/secrets.age must contain one JSON object")


def test_an_invalid_age_key(project: Project) -> None:
    (project.root / ".lab/age.key").write_text("hello\n")
    refused(project, project.deploy(), ".lab/age.key must contain one line that begins with AGE-SECRET-KEY-")


def test_an_age_key_that_cannot_be_read(project: Project) -> None:
    (project.root / ".lab/secrets.age").unlink()  # the run could not store new secrets
    outcome = project.deploy(env={"NEXUS_AGE_IDENTITY": str(project.root)})
    refused(project, outcome, f"the age key {project.root} cannot be read")


def test_an_invalid_recipient(project: Project) -> None:
    (project.root / ".lab/secrets.recipients").write_text("age1nonsense bob\n")
    refused(project, project.deploy(), 'secrets.recipients:1: "age1nonsense" is not an age public key')


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("postgresql/auth-servce", "lab has no such secret"),
        ("tls/ca-key", "secrets=tls/ca-key is not changed here: an authority"),
        ("", "no secret was named and no rotation is in progress"),
    ],
)
def test_an_impossible_rotation(project: Project, words: str, said: str) -> None:
    outcome = project.run("inventory", "deploys/rotate_secrets.py", "-y", "--data", f"secrets={words}")
    assert outcome.status == 1, outcome.text
    assert said in outcome.text
    assert NOTHING in outcome.text


# Source and capacity


def test_a_missing_source(project: Project) -> None:
    outcome = project.deploy(env={"NEXUS_SOURCE": str(project.root / "nowhere")})
    refused(project, outcome, "nowhere is not a directory: give the top directory of a checkout")


def test_a_source_that_is_not_a_checkout(project: Project) -> None:
    outcome = project.deploy(env={"NEXUS_SOURCE": str(project.root)})
    refused(project, outcome, "is not a checkout of the platform's code", "Give the top directory of the checkout")


def test_services_that_do_not_fit_on_the_hosts(project: Project) -> None:
    stated = ["capacity_cpus=2", f"capacity_memory_bytes={24 * 1024**3}", "service_memory_scale=1.0"]
    outcome = project.deploy(*(word for data in stated for word in ("--data", data)))
    refused(project, outcome, "the services of lab do not fit", "GiB requested", "lower service_replicas_max")


# Hosts


def _silence(project: Project, name: str, port: int) -> None:
    project.host(name)["ssh_port"] = port
    project.write_inventory()


def test_a_host_that_does_not_answer(project: Project, dead_port: int) -> None:
    _silence(project, "app2", dead_port)
    outcome = project.deploy()
    refused(project, outcome, "no connection to app2", f"Unable to connect to port {dead_port}", asked=True)
    assert "continue without: --data without=app2" in outcome.text
    assert "lab: 7 hosts, 0 changes, INCOMPLETE on app2" in outcome.text


def test_a_run_continues_without_a_host_when_told_to(project: Project, dead_port: int) -> None:
    _silence(project, "app2", dead_port)
    outcome = project.deploy("--data", "without=app2")
    assert project.hosts.connections == 7
    assert len(project.hosts.commands) > 0
    assert "lab: 7 hosts, 0 changes, without app2" in outcome.text


@pytest.mark.parametrize("store", ["postgresql", "redis", "rabbitmq"])
def test_a_host_that_a_store_needs_cannot_be_left_out(project: Project, dead_port: int, store: str) -> None:
    members = [member if isinstance(member, str) else member[0] for member in project.groups[store]]
    lost = members[: len(members) // 2 + 1]
    said = f"without={','.join(lost)} leaves {len(members) - len(lost)} of {len(members)} "
    refused(project, project.deploy("--data", f"without={','.join(lost)}"), said, "and a majority must stay")
    for name in lost:
        _silence(project, name, dead_port)
    outcome = project.deploy()
    refused(project, outcome, f"no connection to {', '.join(lost)}", asked=True)
    assert "--data without" not in outcome.text


def test_a_wrong_key(project: Project) -> None:
    paramiko.ECDSAKey.generate().write_private_key_file(str(project.root / ".lab/id_ecdsa"))
    outcome = project.deploy()
    refused(project, outcome, "[edge1] Authentication error", "id_ecdsa", "no connection to app1, app2", asked=True)


@pytest.mark.parametrize("content", [None, "no key\n"])
def test_a_missing_or_invalid_key(project: Project, content: str | None) -> None:
    key = project.root / ".lab/id_ecdsa"
    key.unlink() if content is None else key.write_text(content)
    refused(project, project.deploy(), f"private key file: {key} (ssh_key of edge1, app1", "Set ssh_key")


def test_a_wrong_host_key(project: Project) -> None:
    project.know(paramiko.ECDSAKey.generate())
    outcome = project.deploy()
    refused(project, outcome, "[edge1] SSH host key error", "does not match", "no connection to app1", asked=True)


def test_an_unknown_host_key(project: Project) -> None:
    (project.root / ".lab/known_hosts").write_text("")
    outcome = project.deploy()
    refused(project, outcome, "No host key for [127.0.0.1]", "no connection to app1", asked=True)
    assert (project.root / ".lab/known_hosts").read_text() == ""
