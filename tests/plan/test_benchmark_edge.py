"""The benchmark of the edge: it reads its tools' reports, and counts the CPU of the right processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import edge, edge_load, edge_peers
from benchmarks.edge import Place, Way, cpu_of, markdown, measure
from benchmarks.target import Figures
from tests.plan.real_edge import environment

REPORT = """
finished in 5.00s, 820.00 req/s, 1.03MB/s
requests: 4100 total, 4100 started, {done} done, {succeeded} succeeded, {failed} failed, 0 errored, 0 timeout
"""
WAYS = tuple(Way(name, name, "127.0.0.1", 1, "/", (f"{name} program",)) for name in ("nginx", "haproxy", "edge"))
RATES = {"nginx": 3000.0, "haproxy": 4000.0, "edge": 1500.0}
BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\ntime.sleep(60)"


def test_reads_the_report_of_h2load() -> None:
    assert edge_load.read_h2load(REPORT.format(done=4100, succeeded=4100, failed=0)) == 4100


def test_a_request_that_failed_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="did not get an answer to every request"):
        edge_load.read_h2load(REPORT.format(done=4100, succeeded=4099, failed=1))
    with pytest.raises(RuntimeError, match="did not get an answer to every request"):
        edge_load.read_h2load(REPORT.format(done=1600, succeeded=1600, failed=0))  # the server ended connections
    with pytest.raises(RuntimeError, match="connection refused"):
        edge_load.read_h2load("connection refused")


def test_no_connection_carries_more_than_the_edge_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """h2load opens no second connection with HTTP/2: it would idle for the rest of the time."""
    given = environment(Path("/nonexistent")).catalogue.operations.tuning.nginx.settings["keepalive_requests"]
    assert int(given) >= edge_load.EACH
    counts: list[int] = []

    def h2load(words: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        counts.append(int(words[words.index("-n") + 1]))
        if "--log-file" in words:
            Path(words[words.index("--log-file") + 1]).write_text("1\t200\t2000\n" * counts[-1])
        time.sleep(0.1)
        text = (
            f"requests: {counts[-1]} total, {counts[-1]} started, {counts[-1]} done, {counts[-1]} succeeded, 0 failed"
        )
        return subprocess.CompletedProcess(words, 0, text, "")

    monkeypatch.setattr(subprocess, "run", h2load)
    about = {"address": "127.0.0.1", "port": 1, "name": "x", "path": "/", "protocol": "h2", "seconds": 0.25}
    found = edge_load.rate(about)
    assert found["done"] == sum(counts) > counts[0] == 16 * given
    assert found["rate"] == pytest.approx(found["done"] / 0.3, rel=0.5)
    counts.clear()
    found = edge_load.latency({**about, "rate": 1e5})
    assert found == {"median": 2, "p99": 2, "done": sum(counts)}
    assert set(counts) == {16 * given}


def test_counts_the_cpu_of_a_program_and_its_children() -> None:
    mark = f"nexus-test-{os.getpid()}"
    words = [sys.executable, "-c", f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])", mark]
    with subprocess.Popen(words) as process:
        try:
            deadline = time.monotonic() + 60
            while (used := cpu_of((mark,), os.getpid())) < 0.3 and time.monotonic() < deadline:
                time.sleep(0.1)
            assert used >= 0.3
            assert cpu_of(("no such program",), os.getpid()) == 0
            assert cpu_of((mark,), process.pid) <= used + 1  # only below it: the child, not the program itself
        finally:
            subprocess.run(["pkill", "-P", str(process.pid)], check=False)
            process.kill()


def test_every_way_is_measured_and_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "IDLE_SECONDS", 0.01)
    asked: list[Mapping[str, Any]] = []

    def answer(about: Mapping[str, Any], within: Sequence[str]) -> dict[str, float]:
        asked.append(about)
        assert within == ("somewhere",)
        way = WAYS[len(asked) % 3].name if about["kind"] != "rate" else str(about["path"]).strip("/")
        return {"rate": RATES.get(way, 1.0), "done": 100, "median": 1, "p99": 2, "ms": 3, "resumed": 1}

    ways = [Way(way.name, way.title, "127.0.0.1", 1, f"/{way.name}", way.programs) for way in WAYS]
    figures = Figures(tmp_path / "edge.json")
    measure(ways, Place("api.example.com", "ca.pem", os.getpid(), ("somewhere",)), figures, rounds=2, ask=answer)
    assert figures.figures["edge_share_h1"].value == 0.5
    assert {one["rate"] for one in asked if one["kind"] == "latency"} == {0.3 * RATES["edge"]}
    assert [one["path"] for one in asked[:3]] == ["/nginx", "/haproxy", "/edge"]
    text = markdown(figures)
    assert "| HTTP/2, requests/s, 16 connections | 3e+03 | 4e+03 | 1.5e+03 |" in text
    assert all(title in text for title in edge.OTHERS.values())


@pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("haproxy")), reason="nginx or haproxy is missing")
def test_the_peers_are_valid(tmp_path: Path) -> None:
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=x",
    ]
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    (tmp_path / "both.pem").write_text(certificate.read_text() + key.read_text())
    (tmp_path / "nginx.conf").write_text(edge_peers.nginx(str(tmp_path), "127.0.0.1:1", directive=False))
    (tmp_path / "haproxy.cfg").write_text(edge_peers.haproxy(str(tmp_path), "127.0.0.1:1"))
    for words in (["nginx", "-t", "-q", "-c", "nginx.conf"], ["haproxy", "-c", "-q", "-f", "haproxy.cfg"]):
        words[-1] = str(tmp_path / words[-1])
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
