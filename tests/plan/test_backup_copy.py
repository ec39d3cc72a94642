"""The copy of all buckets, made of a real S3 server over TLS, and a new server that is filled from it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.backends import get_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from nexus.agent.lib import RemoteError
from nexus.pki.ca import Authority
from roles.backup.host import copy, copy_state
from roles.backup.host.copy_index import DAY, Index
from roles.backup.host.vault import Vault
from roles.storage.host.s3 import Bucket

BACKUPS, UPLOADS = "nexus-cos-backups", "nexus-cos-test-uploads"


class Server:
    """Object storage with two buckets; `renew` is the loss of its disk."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        leaf = authority.leaf(["127.0.0.1"])
        for name, text in (("ca.pem", authority.certificate), ("leaf", leaf.certificate), ("key", leaf.key)):
            (directory / name).write_text(text)
        files = str(directory / "leaf"), str(directory / "key")
        app = DomainDispatcherApplication(create_backend_app)
        self.http = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=files)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.access = {
            "endpoint": "127.0.0.1", "port": self.http.port, "region": "us-east-1", "bucket": BACKUPS,
            "key": "k", "secret": "s", "ca": str(directory / "ca.pem"),
        }  # fmt: skip
        self.renew()

    def renew(self) -> None:
        get_backend("s3").reset()
        for name in (BACKUPS, UPLOADS):
            self.bucket(name).create()
            self.bucket(name).set_versioned()

    def bucket(self, name: str = BACKUPS) -> Bucket:
        return Bucket({**self.access, "bucket": name})


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("storage"), authority)
    yield made
    made.http.shutdown()


@pytest.fixture
def server(serving: Server) -> Server:
    serving.renew()
    return serving


@pytest.fixture
def config(server: Server, tmp_path: Path) -> dict[str, Any]:
    """The configuration of the host with the copy."""
    own = {"access": server.access, "buckets": [BACKUPS, UPLOADS], "directory": str(tmp_path)}
    return {"storage": server.access, "copy": {**own, "keep_days": 7, "free_percent": 0}}


def save(config: dict[str, Any]) -> dict[str, Any]:
    """What a copy made now says of itself."""
    return dict(copy.save(config, Vault(config))["holds"])


def content(server: Server, name: str) -> dict[str, bytes]:
    bucket = server.bucket(name)
    return {key: bucket.get(key) for key, _ in bucket.list() if key != copy.MARK}


def page(server: Server, directory: Path) -> None:
    """An object of a service with headers of its own."""
    (directory / "page").write_bytes(b"<html>")
    server.bucket(UPLOADS).upload("a/../ü b.html", str(directory / "page"), OWN)


OWN = {"content-type": "text/html", "cache-control": "no-store", "x-amz-meta-who": "mina"}


def test_only_what_is_new_is_copied(server: Server, config: dict[str, Any], tmp_path: Path) -> None:
    server.bucket().put("redis/one", b"1")
    page(server, tmp_path)
    assert save(config) == {"objects": 2, "new": 2, "removed": 0, "damaged": 0}
    assert save(config)["new"] == 0
    server.bucket().put("redis/one", b"2")
    assert save(config)["new"] == 1


def test_a_new_server_gets_everything_back(server: Server, config: dict[str, Any], tmp_path: Path) -> None:
    server.bucket().put("postgres/archive.info", b"info")
    server.bucket().put("redis/one", b"1")
    page(server, tmp_path)
    save(config)
    before = {name: content(server, name) for name in (BACKUPS, UPLOADS)}
    server.renew()
    copy.fill(config, server.access)
    assert {name: content(server, name) for name in (BACKUPS, UPLOADS)} == before
    assert server.bucket(UPLOADS).fetch("a/../ü b.html", str(tmp_path / "got")) is not None
    _, headers = server.bucket(UPLOADS).fetch("a/../ü b.html", str(tmp_path / "got")) or ("", {})
    assert OWN.items() <= headers.items()
    assert save(config)["objects"] == 3


def test_an_empty_server_does_not_empty_the_copy(server: Server, config: dict[str, Any]) -> None:
    server.bucket().put("redis/one", b"1")
    save(config)
    server.renew()
    with pytest.raises(RemoteError, match=r"is new and lacks what was copied here .*deploys/full.py -y"):
        save(config)
    assert Index(config["copy"]["directory"]).objects(BACKUPS).keys() == {"redis/one"}


def test_what_a_bucket_has_stays(server: Server, config: dict[str, Any]) -> None:
    server.bucket().put("environment/secrets.age", b"old")
    save(config)
    server.renew()
    server.bucket().put("environment/secrets.age", b"new")
    copy.fill(config, server.access)
    assert server.bucket().get("environment/secrets.age") == b"new"


def test_objects_that_left_their_bucket_are_kept_for_days(server: Server, config: dict[str, Any]) -> None:
    server.bucket().put("redis/one", b"1")
    save(config)
    server.bucket().delete("redis/one")
    assert save(config)["removed"] == 0
    index = Index(config["copy"]["directory"])
    path = Path(index.file(BACKUPS, "redis/one"))
    assert path.read_bytes() == b"1"
    assert "redis/one" not in index.objects(BACKUPS)  # a new server is not given it
    index.buckets[BACKUPS]["redis/one"]["gone"] -= 7 * DAY
    index.write()
    assert save(config)["removed"] == 1
    assert not path.exists()


def test_a_damaged_file_is_copied_again(
    server: Server, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy, "SHARES", 1)
    server.bucket().put("redis/one", b"1")
    save(config)
    path = Path(Index(config["copy"]["directory"]).file(BACKUPS, "redis/one"))
    path.write_bytes(b"x")
    assert save(config)["damaged"] == 1
    assert path.read_bytes() == b"1"


def test_all_shares_together_are_the_whole_copy(server: Server, config: dict[str, Any]) -> None:
    for number in range(30):
        server.bucket().put(f"redis/{number}", b"1")
    save(config)
    index = Index(config["copy"]["directory"])
    for path in (Path(index.directory) / "objects").rglob("*"):
        if path.is_file():
            path.write_bytes(b"x")
    found = [each for share in range(8) for each in index.damaged(share, 8)]
    assert len(found) == len(set(found)) == 30


def test_a_missing_file_is_named_and_the_others_come_back(
    server: Server, config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    server.bucket().put("redis/one", b"1")
    server.bucket().put("redis/two", b"2")
    save(config)
    Path(Index(config["copy"]["directory"]).file(BACKUPS, "redis/one")).unlink()
    server.renew()
    copy.fill(config, server.access)
    assert content(server, BACKUPS) == {"redis/two": b"2"}
    assert f"{BACKUPS}/redis/one is damaged in the copy too, and lost" in capsys.readouterr().out


def test_stores_of_the_host_keep_their_room(server: Server, config: dict[str, Any]) -> None:
    server.bucket().put("redis/one", b"1")
    config["copy"]["free_percent"] = 100
    with pytest.raises(RemoteError, match=r"less than 100 % of its file system .*backup_copy_host"):
        save(config)


def test_a_stopped_copy_continues(server: Server, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        server.bucket().put(f"redis/{number}", b"1")
    usual = copy.check_room

    def stopped(directory: str, size: int, free_percent: float) -> None:
        if len(Index(directory).objects(BACKUPS)) == 2:
            raise RemoteError("stopped")
        usual(directory, size, free_percent)

    monkeypatch.setattr(copy, "check_room", stopped)
    monkeypatch.setattr(copy, "WRITE_SECONDS", -1)
    with pytest.raises(RemoteError, match="stopped"):
        save(config)
    monkeypatch.setattr(copy, "check_room", usual)
    assert save(config)["new"] == 2


def test_a_run_fills_a_new_server_once(
    server: Server, config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {"object storage": {"filled": True}}
    monkeypatch.setattr(copy_state, "CONFIG", str(tmp_path / "config.json"))
    context = {"directory": config["copy"]["directory"]}
    assert copy_state.probe([], context) == whole, "nothing was copied yet, so nothing is lacking"
    (tmp_path / "config.json").write_text(json.dumps(config))
    server.bucket().put("redis/one", b"1")
    save(config)
    assert copy_state.probe([], context) == whole
    server.renew()
    assert copy_state.probe([], context) == {}
    change: Any = type("Change", (), {"context": context, "payload": {"access": server.access}})
    copy_state.apply(change)
    assert content(server, BACKUPS) == {"redis/one": b"1"}
    assert copy_state.probe([], context) == whole
    server.bucket().delete("redis/one")
    copy_state.apply(change)
    assert content(server, BACKUPS) == {}, "a server that has the mark lacks nothing"


def test_a_server_that_is_down_is_asked_again_by_the_step(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_state, "CONFIG", str(tmp_path / "config.json"))
    config["storage"] = {**config["storage"], "port": 1}
    (tmp_path / "config.json").write_text(json.dumps(config))
    index = Index(config["copy"]["directory"])
    index.server = "mark"
    index.write()
    began = time.monotonic()
    assert copy_state.probe([], {"directory": index.directory}) == {}
    assert time.monotonic() - began < copy_state.LOOK_SECONDS
