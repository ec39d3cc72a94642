"""Invalid arguments of plans, record and lock: refused without a traceback, most before any connection to a host."""

from __future__ import annotations

from pathlib import Path

from tests.plan.project_copy import Project, refused


def test_only_a_dry_run_writes_a_plan(project: Project) -> None:
    refused(
        project, project.deploy("--data", "plan=plan.json"), "plan=plan.json writes what a run would do", "add --dry"
    )


def test_a_plan_is_not_carried_out_by_a_dry_run(project: Project) -> None:
    refused(project, project.deploy("--dry", "--data", "apply=plan.json"), "apply= carries out a plan")


def test_a_missing_plan(project: Project) -> None:
    refused(project, project.deploy("--data", "apply=plan.json"), "apply=plan.json cannot be read: No such file")


def test_a_file_that_is_not_a_plan(project: Project, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{}")
    refused(project, project.deploy("--data", "apply=plan.json"), "apply=plan.json is not a plan")


def told(project: Project, deploy: str, *words: str) -> str:
    """The message of a read-only deploy that fails."""
    outcome = project.run("inventory", f"deploys/{deploy}.py", *words)
    assert outcome.status == 1, outcome.text
    assert "Traceback" not in outcome.text, outcome.text
    return outcome.text


def test_words_that_the_record_does_not_understand(project: Project) -> None:
    assert "since=whenever is not a time: write today" in told(project, "history", "--data", "since=whenever")


def test_hosts_that_give_no_answer(project: Project) -> None:
    """The hosts accept logins but execute nothing."""
    assert "none of ops1, edge1, app1" in told(project, "history")
    assert "data1 did not answer: the connection was lost" in told(project, "unlock")
    assert "app2, app3, data1" in told(project, "drift")
