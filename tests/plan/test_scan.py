"""Findings of scanners: how they are read, and which of them the daily check tells."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from nexus.run.checks import Found
from roles.hardening import daily
from roles.hardening.finding import EXPLAINED, explained
from roles.hardening.host.scan import index, of_dpkg, of_lynis, of_ssh_audit
from roles.hardening.plan import plan
from tests.plan.environments import environment

REPORT = """\
report_version_major=1
suggestion[]=SSH-7408|Consider hardening SSH configuration|MaxSessions (set 50 to 2)|-|
warning[]=PKGS-7392|Found one or more vulnerable packages.|-|-|
suggestion[]=KRNL-6000|One or more sysctl values differ from the scan profile and could be tweaked||Change it|
details[]=KRNL-6000|sysctl|desc:Restrict core dumps;field:fs.suid_dumpable;prefval:0;value:2;|
details[]=SSH-7408|sshd|desc:sshd option Port;field:Port;prefval:;value:22;|
hardening_index=71
""".splitlines()
VERIFIED = """\
??5?????? c /etc/login.defs
missing     /usr/share/doc/age/copyright
??5??????   /usr/bin/openssl
"""
SSH = {
    "banner": {"software": "OpenSSH_10.0"},
    "kex": [
        {"algorithm": "mlkem768x25519-sha256", "notes": {"info": ["default"]}},
        {"algorithm": "diffie-hellman-group14-sha1", "notes": {"fail": ["SHA-1"], "warn": ["2048 bits"]}},
    ],
    "fingerprints": [{"hash": "x"}],
    "target": "127.0.0.1:22",
}


def rows(tmp_path: Path, last: dict[str, Any]) -> list[tuple[str, str, bool]]:
    env = environment(tmp_path)
    found = Found(env, {}, {"app1": {"scan": last}}, {}, time.time())
    return [(row.what, row.value, row.missed) for row in daily.scans(found)]


def test_findings_of_lynis_are_read() -> None:
    assert list(of_lynis(REPORT)) == [
        ["suggestion", "SSH-7408", "Consider hardening SSH configuration: MaxSessions (set 50 to 2)"],
        ["warning", "PKGS-7392", "Found one or more vulnerable packages."],
        ["suggestion", "KRNL-6000", "fs.suid_dumpable is 2, wanted is 0"],
    ]
    assert index(REPORT) == 71
    assert index([]) == 0


def test_findings_of_ssh_audit_are_read() -> None:
    assert list(of_ssh_audit(SSH)) == [
        ["fail", "diffie-hellman-group14-sha1", "SHA-1"],
        ["warn", "diffie-hellman-group14-sha1", "2048 bits"],
    ]


def test_what_is_not_explained_is_told(tmp_path: Path) -> None:
    last = {
        "at": time.time() - 3600,
        "index": 71,
        "findings": [*of_lynis(REPORT), ["suggestion", "NEW-1", "something"]],
    }
    assert rows(tmp_path, last) == [
        ("app1", "Lynis 71 of 100, 0 days ago", False),
        ("app1 PKGS-7392", "Found one or more vulnerable packages.", True),
        ("app1 KRNL-6000", "fs.suid_dumpable is 2, wanted is 0", True),
        ("app1 NEW-1", "something", True),
    ]


def test_an_old_scan_is_told(tmp_path: Path) -> None:
    last = {"at": time.time() - 20 * 86400, "index": 71, "findings": []}
    assert rows(tmp_path, last) == [("app1", "Lynis 71 of 100, 20 days ago", True)]
    assert rows(tmp_path, {}) == [("app1", "not scanned yet", False)]


def test_a_changed_program_is_told(tmp_path: Path) -> None:
    findings = [*of_dpkg(VERIFIED)]
    assert rows(tmp_path, {"at": time.time(), "index": 71, "findings": findings})[1:] == [
        ("app1 dpkg", "/usr/bin/openssl is not as its package brought it", True)
    ]
    assert [*of_dpkg("")] == []


def test_each_explanation_has_words(tmp_path: Path) -> None:
    env = environment(tmp_path)
    assert all(why for why in EXPLAINED.values())
    assert explained(env, env.host("app1"), "SSH-7408", "LogLevel (set INFO to VERBOSE)") == ""


@pytest.mark.parametrize(
    ("without", "why"),
    [
        ([], ""),
        (["kernel-core-dumps"], ""),
        (["kernel-core-dumps: belongs to the machine"], "belongs to the machine"),
        (["kernel-bpf: our tracer"], ""),
    ],
)
def test_a_measure_taken_back_explains_its_settings(tmp_path: Path, without: list[str], why: str) -> None:
    env = environment(tmp_path, hardening_except=without)
    assert explained(env, env.host("app1"), "KRNL-6000", "fs.suid_dumpable is 2, wanted is 0") == why


@pytest.mark.parametrize("without", [[], ["scan: no time"]])
def test_a_host_is_scanned_unless_it_is_taken_back(tmp_path: Path, without: list[str]) -> None:
    env = environment(tmp_path, hardening_except=without)
    units = [unit.name for unit in plan(env, env.host("app1")).units]
    assert ("nexus-security-scan.timer" in units) == (not without)
    assert ("scan" in daily.question(env, env.host("app1"))) == (not without)
