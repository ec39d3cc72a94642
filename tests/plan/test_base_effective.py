"""Which of several files wins: for kernel settings and journald the last, for sshd the first; and drop-ins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nexus.agent import lib
from roles.base.host import effective


def test_the_last_file_of_sysctl_and_journald_counts(tmp_path: Path) -> None:
    (tmp_path / "10-early.conf").write_text("net.core.somaxconn = 1\n")
    (tmp_path / "60-nexus-cos.conf").write_text("net.core.somaxconn = 4096\n")
    (tmp_path / "99-other.conf").write_text("# vm.x = 9\nnet.core.somaxconn=128\nkernel.y=2\n")
    found = effective.later([str(tmp_path)], "/etc/x/60-nexus-cos.conf", {"net.core.somaxconn": "4096", "vm.x": "1"})
    assert found == {"net.core.somaxconn": f"{tmp_path}/99-other.conf sets it to 128"}


def test_a_file_of_the_same_name_hides_the_one_in_a_later_place(tmp_path: Path) -> None:
    for place, value in (("etc", "1"), ("usr", "2")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "99-x.conf").write_text(f"key={value}\n")
    places = [str(tmp_path / "etc"), str(tmp_path / "usr")]
    assert effective.later(places, "60-a.conf", {"key": "1"}) == {}


def test_the_first_word_counts_for_sshd(tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    (more / "00-early.conf").write_text("PermitRootLogin yes\n")
    (more / "10-nexus-cos.conf").write_text("PermitRootLogin no\nMaxSessions 50\nMatch User x\nX11Forwarding yes\n")
    main = tmp_path / "sshd_config"
    main.write_text(f"Include {more}/*.conf\nMaxSessions 10\nX11Forwarding no\n")
    used = effective.sshd(str(main))
    assert used["permitrootlogin"] == ("yes", f"{more}/00-early.conf")
    assert used["maxsessions"] == ("50", f"{more}/10-nexus-cos.conf")
    assert used["x11forwarding"] == ("no", str(main))


def test_unplanned_drop_ins_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, manifest = tmp_path / "system", tmp_path / "manifest"
    drop_ins = place / "haproxy.service.d"
    drop_ins.mkdir(parents=True)
    manifest.mkdir()
    own, other = drop_ins / "10-nexus-cos.conf", drop_ins / "override.conf"
    own.write_text("[Service]\nRestart=always\n")
    other.write_text("[Service]\nLimitNOFILE=100\n# MemoryMax=1\n")
    (manifest / "proxy.json").write_text(json.dumps({"units": {"haproxy": True}, "files": {str(own): True}}))
    monkeypatch.setattr(effective, "PLACES", (str(place),))
    for module in (lib, effective):
        monkeypatch.setattr(module, "MANIFEST", str(manifest))
    assert effective.overridden() == {str(other): "LimitNOFILE=100"}


def test_a_missing_kernel_setting_is_ignored() -> None:
    assert effective.kernel("net/core/no_such_setting") is None
