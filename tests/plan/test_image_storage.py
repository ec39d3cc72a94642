"""Images in the registry's storage, as a host looks for them: an image with a missing part counts as missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from roles.image.host import state


class Storage:
    """A registry's storage with one image, in docker-registry's layout."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "docker/registry/v2"
        self.context = {"release": "1.0.0", "storage": str(directory)}
        layers = [f"sha256:{letter * 64}" for letter in "abc"]
        self.digest = f"sha256:{'d' * 64}"
        manifest = {"config": {"digest": layers[0]}, "layers": [{"digest": layer} for layer in layers[1:]]}
        for digest, text in [*((layer, "x") for layer in layers), (self.digest, json.dumps(manifest))]:
            self.write(f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data", text)
        home = "repositories/nexus-cos/glitch"
        for layer in layers:
            self.write(f"{home}/_layers/sha256/{layer[7:]}/link", layer)
        self.write(f"{home}/_manifests/revisions/sha256/{self.digest[7:]}/link", self.digest)
        for tag in ("1.0.0", "content-beef"):
            self.write(f"{home}/_manifests/tags/{tag}/current/link", self.digest)
        self.write(f"{home}/_manifests/tags/content-old/current/link", f"sha256:{'e' * 64}")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def files(self) -> Iterator[Path]:
        return (path for path in self.root.rglob("*") if path.is_file() and "content-old" not in str(path))

    def probe(self) -> dict[str, dict[str, str]]:
        return state.probe(["image glitch", "image absent"], self.context)


def test_the_probe_reads_content_and_digest_from_storage(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    assert storage.probe() == {"image glitch": {"content": "beef", "digest": storage.digest}}


def test_an_image_with_a_missing_part_counts_as_missing(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    for path in list(storage.files()):
        kept = path.read_text()
        path.unlink()
        assert storage.probe() == {}, f"{path} is gone and was not missed"
        path.write_text(kept)
    assert storage.probe()
