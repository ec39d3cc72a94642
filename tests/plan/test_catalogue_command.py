"""`make catalogue`: services and capacity as a table; and the quantities that it adds up."""

from __future__ import annotations

from pathlib import Path

import pytest

from nexus.catalogue import load
from nexus.catalogue.quantity import memory_bytes, millicores
from runbooks.catalogue import __main__ as command
from tests.plan.catalogue_copy import broken_  # noqa: F401 - a fixture


@pytest.fixture(scope="module")
def catalogue():
    return load()


@pytest.mark.parametrize(("text", "value"), [("500m", 500), ("2", 2000), ("0.5", 500), ("0.125", 125)])
def test_cpu_quantities(text, value):
    assert millicores(text) == value


@pytest.mark.parametrize(("text", "value"), [("512Mi", 512 * 2**20), ("2Gi", 2**31), ("1G", 10**9), ("1024", 1024)])
def test_memory_quantities(text, value):
    assert memory_bytes(text) == value


@pytest.mark.parametrize("text", ["", "0", "0m", "-1", "1.5m", "m", "1 ", "1_000", "inf"])
def test_invalid_quantities(text):
    with pytest.raises(ValueError, match="write"):
        millicores(text)
    with pytest.raises(ValueError, match="write"):
        memory_bytes(text)


def test_command_prints_table_and_totals_within_120_columns(capsys, catalogue):
    assert command.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 120
    assert [line.split()[0] for line in lines[2:45]] == list(catalogue.services)
    assert any("102 cores, 204 GiB" in line and "does not fit" in line for line in lines)


def test_command_exits_1_with_the_list_of_errors(broken, capsys, monkeypatch):
    broken("gateway.yaml", ("service: glitch,", "service: glitsch,"))
    monkeypatch.setattr(command, "load", lambda: load(Path(broken.directory)))
    assert command.main([]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "gateway.yaml:" in captured.err
    assert "did you mean 'glitch'?" in captured.err


def test_command_exits_2_on_wrong_use(capsys):
    assert command.main(["--help-me"]) == 2
    assert "usage:" in capsys.readouterr().err


def test_command_sizes_an_environment_without_its_secrets(capsys, catalogue, monkeypatch):
    monkeypatch.setenv("NEXUS_AGE_IDENTITY", "/nonexistent/key")
    assert command.main(["lab"]) == 0
    lines = capsys.readouterr().out.splitlines()
    printed = {line.split()[0] for line in lines[2 : lines.index("")]}
    assert "auth-service" in printed
    assert printed <= set(catalogue.services)
    assert max(map(len, lines[: lines.index("") + 1])) <= 120


def test_command_names_the_nearest_environment(capsys):
    assert command.main(["producton"]) == 1
    assert 'did you mean "production"?' in capsys.readouterr().err
