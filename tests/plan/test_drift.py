"""The drift report's text and page, and how items find the run that touched them last."""

from __future__ import annotations

from typing import Any

from runbooks.drift.compare import _differing_parts, _touched
from runbooks.drift.page import ago, page
from runbooks.drift.report import text

NOW = 1_790_000_000.0
RUN = {"time": NOW - 7200, "who": "mina@desk", "purpose": "deploys/full.py", "number": 4, "how": "", "died": False}
LINE = {
    "host": "app2", "role": "nginx", "item": "file /etc/<x>", "how": "content differs", "before": "0644 root:root aa",
    "after": "0644 root:root bb", "since": NOW - 3600, "first_seen": NOW, "last_run": RUN,
}  # fmt: skip


def report(**more: Any) -> dict[str, Any]:
    hosts = {name: {"groups": ["app"], "compared": 12, "why": ""} for name in ("app1", "app2")}
    nothing: dict[str, Any] = {"drift": [], "unhealthy": [], "unknown": {}}
    about = {"environment": "lab", "checked": NOW, "commit": "c0ffee" * 6, "dirty": False, "plan": "ab" * 32}
    return {**about, "hosts": hosts, **nothing, **more}


def test_a_line_has_actual_and_planned_value_age_and_person() -> None:
    told = text(report(drift=[LINE]))
    for words in ("app2: nginx: file /etc/<x>: content differs", "is 0644 root:root aa, should be 0644 root:root bb"):
        assert words in told
    assert "by mina@desk" in told
    assert "lab: 2 hosts, 24 items, 1 differ" in told


def test_nothing_differs() -> None:
    assert text(report()).endswith("24 items, as planned")
    assert "Everything is as planned" in page(report())


def test_the_page_is_one_file_and_escapes_what_hosts_say() -> None:
    told = page(report(drift=[LINE]))
    assert "file /etc/&lt;x&gt;" in told
    assert "<x>" not in told
    assert "src=" not in told
    assert "href=" not in told
    assert "1 hour ago" in told
    assert "1 of 12 items" in told


def test_differing_lines_are_shown_and_escaped() -> None:
    found = report(drift=[{**LINE, "lines": ["-worker <1>", "+worker <2>"]}])
    assert "        +worker <2>" in text(found)
    assert '<span class="new">+worker &lt;2&gt;' in page(found)


def test_hosts_that_differ_come_first() -> None:
    told = page(report(drift=[LINE]))
    assert told.index("<h2>app2") < told.index("<h2>app1")


def test_hosts_that_were_not_compared_are_reported() -> None:
    found = report(unknown={"app1": "app1 could not be reached"})
    found["hosts"]["app1"]["why"] = "app1 could not be reached"
    assert "Everything is as planned" not in page(found)
    assert page(found).count("app1 could not be reached") == 1
    assert "app1 could not be reached" in text(found)
    assert text(found).endswith("not compared: app1")


def test_ages_are_printed_in_the_largest_unit_that_fits() -> None:
    assert [ago(seconds) for seconds in (5, 60, 7300, 90000, 200000)] == [
        "just now", "1 minute ago", "2 hours ago", "1 day ago", "2 days ago",
    ]  # fmt: skip


def test_only_differing_properties_are_shown() -> None:
    assert _differing_parts("service x", "image a, replicas 0", "image a, replicas 1") == ("replicas 0", "replicas 1")
    assert _differing_parts("service x", "", "image a, replicas 1") == ("", "image a, replicas 1")
    assert _differing_parts("unit x", "enabled, failed", "enabled, running") == ("enabled, failed", "enabled, running")


def test_an_item_finds_the_run_that_touched_it_last() -> None:
    def begin(run: str, when: float) -> dict[str, Any]:
        about = {"who": run, "purpose": "", "number": 1, "intended": {"app1": [["x", "file /a", "is missing"]]}}
        return {"event": "begin", "run": run, "time": when, **about}

    def end(run: str, item: str) -> dict[str, Any]:
        return {"event": "end", "run": run, "time": 9, "changes": {"app1": [["x", item, "is missing", True]]}}

    found = _touched([begin("a", 1), end("a", "file /a"), begin("b", 2), end("b", "file /b"), begin("c", 3)])
    assert (found["app1", "file /a"]["who"], found["app1", "file /a"]["died"]) == ("c", True)
    assert found["app1", "file /b"]["who"] == "b"
