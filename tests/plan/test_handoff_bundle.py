"""Bundles: the same bytes everywhere, complete or not at all, and signed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

from nexus import project
from nexus.error import OperatorError
from nexus.workstation import checkout
from runbooks.handoff import archive, bundle, contract, signature, verify
from runbooks.handoff.__main__ import KNOWN, environment
from runbooks.handoff.build import build
from runbooks.handoff.commit import Commit, commit
from runbooks.handoff.handoff import Handoff
from tests.plan.handoff_world import COMMIT

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("nexus", "roles", "runbooks", "deploys", "inventory", "group_data", "templates", "scripts", "docs", ".github")
FILES = ("config.py", "CHANGELOG.md", "make_handoff_zip.ps1")
FULL, SMALL = contract.FULL_PACKAGE, contract.PACKAGE
NOBODY = 65534


def copy_to(directory: Path) -> Path:
    """The project as an unpacked bundle: without git."""
    for part in PARTS:
        shutil.copytree(ROOT / part, directory / part, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    for file in FILES:
        shutil.copy(ROOT / file, directory / file)
    about = {"name": COMMIT.name, "epoch": COMMIT.epoch, "dirty": False}
    (directory / "deployment-manifest.json").write_text(json.dumps({"commit": about}))
    return directory


@pytest.fixture(scope="module")
def copies() -> Iterator[tuple[Path, Path]]:
    """Two copies at paths of different length, which another user may read and write."""
    with (
        tempfile.TemporaryDirectory() as first,
        tempfile.TemporaryDirectory(prefix="another-rather-long-name-") as second,
    ):
        for place in (first, second):
            os.chmod(place, 0o755)
        yield copy_to(Path(first) / "a"), copy_to(Path(second) / "b/c")


def made(place: Path, umask: int, other_user: bool = False, **variables: str) -> dict[str, str]:
    """{file: checksum} of what the program makes there, in a process with this umask and these variables."""
    shutil.rmtree(place / "dist", ignore_errors=True)
    if other_user and os.getuid() == 0:
        for path in (place.parent, place, *place.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    words = [sys.executable, "-B", "-m", "runbooks.handoff", "lab", "observation=none"]
    environment_of = {
        "PATH": os.environ["PATH"],
        "XDG_CACHE_HOME": str(place.parent),
        "HOME": str(place.parent),
        **variables,
    }
    done = subprocess.run(
        words, cwd=place, env=environment_of, umask=umask, capture_output=True, text=True, check=False,
        user=NOBODY if other_user and os.getuid() == 0 else None,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = [path for path in (place / "dist").iterdir() if path.is_file()]
    assert len(files) == 4
    return {path.name: archive.sha256(path.read_bytes()) for path in files}


def test_same_bytes_for_another_user_place_zone_and_umask(copies: tuple[Path, Path]) -> None:
    first = made(copies[0], 0o022, TZ="UTC", LANG="C.UTF-8")
    second = made(copies[1], 0o077, TZ="Asia/Tokyo", LANG="C", PYTHONHASHSEED="7", USER="other")
    assert first == second


@pytest.mark.skipif(not os.access(Path(sys.prefix).resolve().parent, os.X_OK), reason="its Python is closed to others")
def test_same_bytes_for_another_account(copies: tuple[Path, Path]) -> None:
    first = made(copies[0], 0o022, TZ="America/New_York")
    assert made(copies[1], 0o027, other_user=True, TZ="Europe/Berlin") == first


@pytest.fixture
def place(copies: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project that this process works on, with few files of its own in the full bundle."""
    monkeypatch.setattr(project, "_root", copies[0])
    documents = [path for path in bundle.sources() if path.startswith("docs/")]
    monkeypatch.setattr(bundle, "sources", lambda: documents)
    shutil.rmtree(copies[0] / "dist", ignore_errors=True)
    return copies[0]


def built(**settings: str) -> Path:
    """Make everything; the directory of it."""
    handoff = Handoff.of(environment("lab", settings), commit(), None)
    return build(handoff).directory.parent


@pytest.mark.parametrize("path", ["scripts/run-local", "make_handoff_zip.ps1"])
@pytest.mark.parametrize("how", ["missing", "empty"])
def test_an_incomplete_bundle_is_not_made(place: Path, path: str, how: str) -> None:
    file = place / path
    kept = file.read_bytes()
    if how == "missing":
        file.unlink()
    else:
        file.write_bytes(b"\n")
    try:
        with pytest.raises(OperatorError, match=f"{SMALL} is not made: {path} is {how}"):
            built()
    finally:
        file.write_bytes(kept)
    assert not (place / "dist").exists()


def test_a_file_too_many_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(contract.BUNDLE, "more", ("config.py",))
    with pytest.raises(OperatorError, match="24 files are listed instead of 23"):
        built()


def test_signed_and_verified(place: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signers = tmp_path / "signers"
    signers.write_text(f"{signature.SIGNER} {key.with_suffix('.pub').read_text()}")
    directory = built(handoff_signing_key=str(key))
    for name in (SMALL, FULL):
        lines = list(verify.lines(directory / f"{name}.zip", signers))
        assert 'Good "nexus-cos-handoff" signature for handoff' in lines[0]
        assert "files are as" in lines[-1]
    manifest = directory / f"{SMALL}-sample-manifest.json"
    manifest.write_text(manifest.read_text() + " ")
    with pytest.raises(OperatorError, match="is not a valid signature of"):
        list(verify.lines(directory / f"{SMALL}.zip", signers))
    signers.write_text(signers.read_text()[:-10] + "\n")
    with pytest.raises(OperatorError, match="is not a valid signature of"):
        list(verify.lines(directory / f"{FULL}.zip", signers))


def test_a_run_without_a_key_leaves_no_old_signature(place: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    directory = built(handoff_signing_key=str(key))
    assert list(directory.glob("*.sig"))
    assert list(built().glob("*.sig")) == []
    with pytest.raises(OperatorError, match=r"and signers=.* asks for a signature"):
        list(verify.lines(directory / f"{SMALL}.zip", tmp_path / "key.pub"))


def test_a_bad_key_changes_nothing(place: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in built().rglob("*")}
    with pytest.raises(OperatorError, match=r"handoff_signing_key: .* is not a file"):
        built(handoff_signing_key=str(tmp_path / "none"))
    (tmp_path / "key").write_text("no key")
    with pytest.raises(OperatorError, match=r"handoff_signing_key: .* cannot sign"):
        built(handoff_signing_key=str(tmp_path / "key"))
    assert {path: path.stat().st_mtime_ns for path in (place / "dist").rglob("*")} == before


def test_the_commit_comes_from_the_bundle(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commit() == COMMIT
    assert checkout() == {"commit": COMMIT.name, "dirty": False}  # so the record of its runs names it too
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert commit() == Commit(COMMIT.name, 1_700_000_000)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    with pytest.raises(OperatorError, match="SOURCE_DATE_EPOCH=soon is not a number"):
        commit()


def test_no_commit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "_root", tmp_path)
    with pytest.raises(OperatorError, match=r"neither git nor deployment-manifest.json names it\. Use a clone"):
        commit()


def test_verify_needs_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main([str(tmp_path / "x.zip")]) == 1
    assert "its manifest is missing: x-sample-manifest.json or x-manifest.json" in capsys.readouterr().err
    assert verify.main([]) == 2


def test_powershell_calls_the_shell_script() -> None:
    """It is only parsed: it was never executed here."""
    text = (ROOT / "make_handoff_zip.ps1").read_bytes()
    parser = Parser(Language(tree_sitter_powershell.language()))
    assert not parser.parse(text).root_node.has_error
    assert parser.parse(text.replace(b"if (", b"if ((")).root_node.has_error
    (script,) = re.findall(r'"(scripts/[\w.-]+)"', text.decode())
    assert re.findall(r"-m (runbooks\.\w+)", (ROOT / script).read_text()) == ["runbooks.handoff"]
    arguments = re.findall(r'"(\w+)=\$\w+"', text.decode())
    assert arguments[0] == "NEXUS_ENV"
    assert set(arguments[1:]) < set(KNOWN)


def test_scripts_are_executable() -> None:
    scripts = [ROOT / path for path in bundle_scripts()]
    assert len(scripts) == 3
    assert all(os.access(path, os.X_OK) for path in scripts)
    for path in scripts:
        subprocess.run(["sh", "-n", str(path)], check=True)


def bundle_scripts() -> list[str]:
    return [path for path in contract.bundle_files() if path.startswith("scripts/")]


def test_sources_without_git(copies: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "_root", copies[0])
    for folder in ("reports", "nexus/__pycache__"):
        (copies[0] / folder).mkdir(exist_ok=True)
        (copies[0] / folder / "x").write_text("x")
    found = bundle.sources()
    assert "config.py" in found
    assert [path for path in found if "reports" in path or "__pycache__" in path or path.startswith("dist")] == []
