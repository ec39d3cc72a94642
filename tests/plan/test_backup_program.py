"""The backup program on a host: how it combines the kinds of backups that roles define."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from nexus.agent.lib import RemoteError
from roles.backup.host import main, proof, restore
from roles.backup.host.kind import Kind, Record
from roles.mongodb.host.backup import KIND as MONGODB
from roles.postgresql.host import backup_proof
from roles.postgresql.host.backup import KIND as POSTGRESQL
from roles.rabbitmq.host.backup import KIND as RABBITMQ
from roles.redis.host.backup import KIND as REDIS


@dataclass
class Bucket:
    objects: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> bytes:
        if key not in self.objects:
            raise RemoteError(f"no {key}")
        return self.objects[key]

    def put(self, key: str, content: bytes) -> None:
        self.objects[key] = content

    def list(self, prefix: str) -> list[tuple[str, int]]:
        return [(key, len(held)) for key, held in sorted(self.objects.items()) if key.startswith(prefix)]


@dataclass
class Vault:
    bucket: Bucket = field(default_factory=Bucket)
    expired: list[str] = field(default_factory=list)

    def load(self, key: str, path: str) -> None:
        if key not in self.bucket.objects:
            raise RemoteError(f"{key} is damaged")
        Path(path).write_bytes(self.bucket.objects[key])

    def expire(self, days: int, prefixes: list[str]) -> int:
        self.expired += prefixes
        return days


def saved(label: str) -> Record:
    return {"type": "full", "label": label, "bytes": 3}


def same(record: Record, path: str) -> list[str]:
    return [] if Path(path).read_text() == "right" else [f"{record['label']}: wrong"]


FILE = Kind(
    is_saver=lambda config: True,
    save=lambda config, vault, type_: saved("book/2026-01-02/030405-book.age"),
    prefixes=("book/",),
    check=same,
    load=lambda config, path: f"{len(Path(path).read_bytes())} words",
)


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Vault:
    made = Vault()
    for module in (main, proof, restore):
        monkeypatch.setattr(module, "Vault", lambda config: made)
    return made


def config_of(directory: Path, *kinds: str) -> dict[str, Any]:
    return {
        "kinds": list(kinds),
        "host": "one",
        "directory": str(directory),
        "retention_days": 9,
        "metrics": f"{directory}/metrics",
    }


def test_each_kind_is_saved_when_it_is_this_hosts_turn(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unknown(config: Mapping[str, Any]) -> bool:
        raise RemoteError("it does not answer")

    other, silent = replace(FILE, is_saver=lambda config: False), replace(FILE, is_saver=unknown)
    known = {"book": FILE, "other": other, "silent": silent, "elsewhere": replace(FILE, prefixes=("shelf/", "safety/"))}
    assert main.save(config_of(tmp_path, "book", "other", "silent"), known, "", []) == 1
    said = capsys.readouterr()
    assert said.out.startswith("book: full book/2026-01-02/030405-book.age, 3 bytes, ")
    assert said.out.endswith("other: another host's turn\n")
    assert said.err == "silent: whose turn it is could not be found out: it does not answer\n"
    assert json.loads((tmp_path / "book.json").read_text())["ok"]
    assert vault.expired == []
    assert main.save(config_of(tmp_path, "environment"), {"environment": FILE, **known}, "", []) == 0
    assert vault.expired == ["book/", "book/", "book/", "book/", "shelf/", "safety/"]
    vault.expired.clear()
    assert main.save(config_of(tmp_path, "environment"), {"environment": FILE}, "", ["environment"]) == 0
    assert vault.expired == []


def test_the_type_that_was_asked_for_reaches_the_kind(vault: Vault, tmp_path: Path) -> None:
    asked: list[str] = []

    def save(config: Any, vault: Any, type_: str) -> Record:
        asked.append(type_)
        return saved("x")

    main.save(config_of(tmp_path, "book"), {"book": replace(FILE, save=save)}, "diff", ["book"])
    assert asked == ["diff"]


def proven(vault: Vault, config: dict[str, Any], known: dict[str, Kind]) -> Record:
    for name in known:
        record = {**saved(f"{name}/file"), "ok": True, "kind": name, "finished_at": "2026-01-02T03:04:05Z"}
        vault.bucket.put(f"status/{name}.json", json.dumps(record).encode())
    proof.main(config, known, here=True)
    found: Record = json.loads(vault.bucket.get("status/restore_test.json"))
    return found


def test_every_kind_is_verified_and_damage_is_named(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def prove(config: Any, record: Record, found: Record) -> None:
        found["label"] = found["proof"]["backup"] = record["label"]
        found["bytes"], found["proof"]["rows"] = 7, 5

    base = Kind(FILE.is_saver, FILE.save, (), prove=prove)
    known = {"base": base, "book": FILE, "there": replace(FILE, check_here=True)}
    vault.bucket.objects |= {"book/file": b"right", "there/file": b"wrong"}
    found = proven(vault, config_of(tmp_path, "base"), known)
    assert (found["ok"], found["type"], found["label"], found["bytes"]) == (True, "test", "base/file", 7)
    assert found["proof"]["files"] == ["book"]
    told = "restore_test: base/file: 0 databases, 0 tables, 5 rows as they were saved; book too ("
    assert capsys.readouterr().out.startswith(told)
    found = proven(vault, config_of(tmp_path, "there"), known)
    assert (found["ok"], found["error"]) == (False, "there/file: wrong")
    assert found["proof"]["backup"] == ""
    del vault.bucket.objects["book/file"]
    found = proven(vault, config_of(tmp_path, "base"), known)
    assert found["proof"]["damaged"] == ["book/file"]
    assert found["proof"]["differences"] == ["book: book/file is damaged"]


@pytest.mark.parametrize(
    ("content", "differs"), [(b"right", ""), (b"wrong", "book/file: its content is not what was saved")]
)
def test_a_file_is_compared_with_the_digest_on_record(
    vault: Vault, tmp_path: Path, content: bytes, differs: str
) -> None:
    record = {**saved("book/file"), "ok": True, "kind": "book", "finished_at": "2026-01-02T03:04:05Z"}
    record["holds"] = {"sha256": hashlib.sha256(b"right").hexdigest()}
    vault.bucket.objects = {"book/file": content, "status/book.json": json.dumps(record).encode()}
    proof.main(config_of(tmp_path, "base"), {"base": Kind(FILE.is_saver, FILE.save, ()), "book": FILE}, here=True)
    assert json.loads(vault.bucket.get("status/restore_test.json"))["error"] == differs


def test_the_tested_kind_decides_which_host_tests(vault: Vault, tmp_path: Path) -> None:
    known = {"base": replace(FILE, tester=lambda config: "two"), "book": FILE}
    assert proof.tester(config_of(tmp_path, "book", "base"), known) == "two"
    with pytest.raises(RemoteError, match="one has nothing that a restore test could be made with"):
        proof.tester(config_of(tmp_path, "book"), known)


def test_a_failed_restore_of_postgresql_names_damaged_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(config: Any, record: Record, found: Record) -> None:
        raise RemoteError("checksum")

    def prove(record: Record) -> Record:
        found: Record = {"label": "", "bytes": 0, "proof": {"differences": [], "damaged": []}}
        backup_proof.prove({}, record, found)
        return found

    monkeypatch.setattr(backup_proof, "databases", failing)
    monkeypatch.setattr(backup_proof, "damaged", lambda config: ["base/1 in postgres/bundle/1"])
    assert prove({})["proof"]["differences"] == ["postgresql: there is no backup with a record of what it holds"]
    found = prove({"label": "F", "ok_at": "then", "database_bytes": 9, "holds": {"a": {}}})
    assert (found["label"], found["bytes"], found["proof"]["backup_finished_at"]) == ("F", 9, "then")
    assert found["proof"]["differences"] == ["postgresql F: checksum"]
    assert found["proof"]["damaged"] == ["base/1 in postgres/bundle/1"]


def test_restorable_backups_are_listed(vault: Vault, tmp_path: Path) -> None:
    base = replace(FILE, load=None, listed=lambda config: {"base": ["first"], "system": 5})
    vault.bucket.objects |= {"book/a": b"", "book/b": b"", "base/a": b""}
    known = {"base": base, "book": FILE}
    files = ["book/a", "book/b"]
    assert restore.listed(config_of(tmp_path, "base"), known) == {"base": ["first"], "system": 5, "book": files}
    assert restore.listed(config_of(tmp_path, "book"), known) == {"book": files}


def test_the_newest_file_before_a_moment_is_restored(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = "book/2026-01-02/030405-book.age", "book/2026-01-03/030405-book.age"
    vault.bucket.objects |= {first: b"one", second: b"three"}
    config, known = config_of(tmp_path, "book"), {"book": FILE}
    restore.load(config, known, "book", "latest")
    restore.load(config, known, "book", "2026-01-02T12:00:00Z")
    assert capsys.readouterr().out == f"5 words from {second}\n3 words from {first}\n"
    with pytest.raises(RemoteError, match="the bucket has nothing of book from 2026-01-01T00:00:00Z or before"):
        restore.load(config, known, "book", "2026-01-01T00:00:00Z")


def test_the_backup_program_has_the_actions_of_runbooks() -> None:
    known = {"postgresql": POSTGRESQL, "redis": REDIS, "rabbitmq": RABBITMQ, "mongodb": MONGODB}
    words = {name: words for name, (words, _) in restore.acts_of(known).items()}
    assert words == {
        "list": (),
        "copy-database": ("name", "owner", "to", "into"),
        "save-database": ("name",),
        "swap-database": ("name", "copy", "aside", "service"),
        "copy-cluster": ("to",),
        "drop-copy": (),
        "stop": (),
        "place": ("aside",),
        "follow": (),
        "load": ("store", "to"),
    }
    assert [name for name, kind in known.items() if kind.load] == ["redis", "rabbitmq", "mongodb"]
    prefixes = {prefix for kind in known.values() for prefix in kind.prefixes}
    assert prefixes == {"redis/", "rabbitmq/", "mongodb/", "safety/"}
    options = main.arguments(known).parse_args(["backup", "--type", "full", "--only", "redis"])
    assert (options.type, options.only) == ("full", "redis")


def test_a_failed_backup_keeps_the_time_of_the_last_good_one(vault: Vault, tmp_path: Path) -> None:
    def fail(config: Any, vault: Any, type_: str) -> Record:
        raise RemoteError("the bucket is full")

    (tmp_path / "other.json").write_text("{}")  # not a record
    known, broken = {"book": FILE}, {"book": replace(FILE, save=fail)}
    for kinds, good in ((broken, "0"), (known, "17"), (broken, "17")):
        main.save(config_of(tmp_path, "book"), kinds, "", [])
        lines = (tmp_path / "metrics").read_text().splitlines()
        assert len(lines) == 2
        assert lines[1].startswith(f'nexus_backup_last_success_timestamp_seconds{{kind="book"}} {good}')
    assert (tmp_path / "metrics").stat().st_mode & 0o777 == 0o644  # the node exporter reads it
