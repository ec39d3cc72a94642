"""The tree of the handoff, its links and pictures, and the commands that its pages name."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path

import pytest

from nexus.environment import settings
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.arguments import EVERY_RUN, declared
from nexus.secrets import store
from roles.prometheus.plan import rules_by_role
from runbooks.handoff import bundle, contract
from runbooks.handoff.build import complaints
from runbooks.handoff.contract import TREE
from runbooks.handoff.handoff import Handoff
from runbooks.handoff.link import anchors, dead, within
from runbooks.handoff.page import pages
from runbooks.handoff.regular import ways
from runbooks.handoff.scripts import REGION, SCRIPTS
from tests import documented
from tests.plan.environments import environment
from tests.plan.handoff_world import COMMIT, lab, observation

SECONDS_MAX = 15
MISSING = {  # scripts that the earlier documents name and that never existed
    "backup-postgres", "backup-volumes", "check-region-health", "deploy-kubernetes-cluster", "dr-test",
    "failover-drill", "monitor-traffic", "restore-backup", "rotate-api-keys", "rotate-db-password", "run-smoke-tests",
    "smoke-tests", "test-db-failover", "test-redis-failover", "test-regional-failover", "update-dns",
    "verify-backups", "verify-db-integrity", "verify-platform-health", "verify-recovery", "verify-replication",
    "verify-test-env",
}  # fmt: skip
NODE = re.compile(r"box\d+")
MERMAID = re.compile(
    r'flowchart LR|  subgraph column\d+\["[^"\n]+"\]|    box\d+\["[^"\n]+"\]|  end'
    r'|  box\d+ (-->|-\.->)(\|"[^"\n]+"\|)? box\d+'
)


@pytest.fixture(scope="module")
def env() -> Environment:
    return lab()


@pytest.fixture(scope="module")
def made(env: Environment) -> dict[str, str]:
    return pages(Handoff.of(env, COMMIT, observation(env)))


def test_the_tree_is_exact(env: Environment, made: dict[str, str]) -> None:
    folders = Counter(path.removeprefix(f"{TREE}/").partition("/")[0] for path in made if path.startswith(TREE))
    assert (len(env.catalogue.services), len(env.catalogue.modules)) == (43, 16)
    del folders["deployment"]
    assert folders == {
        "README.md": 1, "architecture": 7, "services": 46, "modules": 18, "operations": 10, "frontend": 2,
    }  # fmt: skip
    deployment = [path.removeprefix(f"{TREE}/deployment/") for path in made if path.startswith(f"{TREE}/deployment/")]
    assert {path for path in deployment if "/" not in path} == {"deployment-manifest.yaml", "docker-compose.full.yml"}
    objects = [Path(path).stem for path in deployment if path.startswith("kubernetes/base/")]
    assert [name for name in env.catalogue.services if objects.count(name) != 1] == []
    outside = {path for path in made if not path.startswith((TREE, "docs/pictures/"))}
    assert outside == {"PROJECT-OVERVIEW.md", "THIIO-ONBOARDING.md", "CHANGELOG.md", "deployment-manifest.json"}
    assert complaints(Handoff.of(env, COMMIT, None), made, bundle.sources()) == []


@pytest.mark.parametrize("name", ["lab", "box", "lab_wide", "staging", "production"])
def test_every_environment_has_pages(name: str) -> None:
    env = lab() if name == "lab" else lab_like(name)
    handoff = Handoff.of(env, COMMIT, None)
    began = time.monotonic()
    found = pages(handoff)
    assert time.monotonic() - began < SECONDS_MAX
    assert complaints(handoff, found, bundle.sources()) == []


def lab_like(name: str) -> Environment:
    from runbooks.handoff.__main__ import environment as of_name

    return of_name(name, {})


def test_a_timeout_of_the_environment() -> None:
    found = pages(Handoff.of(lab(router_timeouts_ms={"glitch": 4321}), COMMIT, None))
    for page in ("services/glitch.md", "architecture/api-gateway-map.md"):
        assert "| 4321 ms |" in found[f"{TREE}/{page}"]


def test_pages_are_the_same_again(env: Environment, made: dict[str, str]) -> None:
    assert pages(Handoff.of(env, COMMIT, observation(env))) == made


def test_no_link_of_the_small_bundle_is_dead(made: dict[str, str]) -> None:
    files = {path: data.decode() for path, data in bundle.of_contract(made).items()}
    assert len(files) == 23
    assert dead(files) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](b.md)", ["docs/page.md: docs/b.md"]),
        ("[a](../x.md#no)", ["docs/page.md: x.md#no"]),
        ("[a](#none)", ["docs/page.md: docs/page.md#none"]),
        ("![a](../x.svg)", ["docs/page.md: x.svg"]),
        ("[a](../x.md#a-b-1)", []),
        ("[a](../x.md) and [b](https://example.com/none)", []),
        ("```\n[a](b.md)\n```\n", []),
    ],
)
def test_dead_links_are_found(text: str, found: list[str]) -> None:
    assert dead({"docs/page.md": text, "x.md": "# A b\n\n## A B\n"}) == found


def test_links_out_of_an_archive_become_words() -> None:
    text = "[a](x.md), [b](y.md#z), ![c](z.svg)\n\n```\n[d](y.md)\n```\n"
    assert within("page.md", text, ["page.md", "x.md"]) == (
        "[a](x.md), b (`y.md`, in the full bundle), `z.svg` (picture, in the full bundle)\n\n```\n[d](y.md)\n```\n"
    )


def test_diagrams_parse(made: dict[str, str]) -> None:
    """Each line is one of the few forms that are made, and each arrow is between boxes that are there."""
    blocks = [block for text in made.values() for block in re.findall(r"^```mermaid\n(.*?)^```$", text, re.M | re.S)]
    assert len(blocks) >= 5
    for block in blocks:
        lines = block.rstrip("\n").split("\n")
        assert [line for line in lines if not MERMAID.fullmatch(line)] == []
        boxes = {line.strip().partition("[")[0] for line in lines if line.startswith("    ")}
        assert {box for line in lines if "->" in line for box in NODE.findall(re.sub(r'"[^"]*"', "", line))} <= boxes


def test_pictures_are_whole(env: Environment, made: dict[str, str]) -> None:
    from xml.etree import ElementTree

    drawn = {path: ElementTree.fromstring(text) for path, text in made.items() if path.endswith(".svg")}
    assert len(drawn) == 5
    titles = {title.text for title in drawn["docs/pictures/service-map.svg"].iter("{http://www.w3.org/2000/svg}title")}
    assert set(env.catalogue.services) <= titles


def test_commands_resolve(made: dict[str, str]) -> None:
    commands = documented.commands_in(made)
    assert len(commands) > 250
    wrong = [f"{page}: {command}" for command, page in commands.items() if not resolves(command)]
    assert wrong == []
    scripts = {name for text in made.values() for name in re.findall(r"\bscripts/[\w.-]+", text)}
    assert scripts >= {"scripts/package-thiio-bundle.sh", "scripts/run-local"}
    assert [name for name in scripts if not (documented.ROOT / name).is_file()] == []


def resolves(command: str) -> bool:
    """Whether the deploy and its arguments, or the target of make, exist."""
    words = command.split()
    if words[0] == "make":
        targets = re.findall(r"^([a-z][a-z-]*):", (documented.ROOT / "Makefile").read_text(), re.MULTILINE)
        return all(word in targets for word in words[1:] if "=" not in word)
    path = Path(words[2])
    given = [words[number + 1].partition("=")[0] for number, word in enumerate(words) if word == "--data"]
    return path.is_file() and {*given} <= {*declared(path).arguments, *EVERY_RUN, *settings.defaults()}


@pytest.mark.parametrize(
    "command", ["make nothing", "pyinfra inventory deploys/none.py", "pyinfra inventory deploys/full.py --data x=1"]
)
def test_wrong_commands_are_found(command: str) -> None:
    assert not resolves(command)


def test_missing_scripts_are_answered(made: dict[str, str]) -> None:
    known = {script.name.removesuffix(".sh"): script for script in SCRIPTS}
    assert len(MISSING) == 22
    assert [name for name in MISSING if name not in known] == []
    regional = [name for name, script in known.items() if script.command == REGION]
    assert regional == ["check-region-health", "test-regional-failover", "update-dns"]
    assert "a-second-region" in anchors(made[f"{TREE}/operations/failover-plan.md"])


def test_every_alert_links_to_its_section(env: Environment, made: dict[str, str]) -> None:
    rules = [rule for rules in rules_by_role(env).values() for rule in rules if "for" in rule]
    links = [rule["annotations"]["runbook_url"].partition("#") for rule in rules]
    assert len(links) > 60
    assert [link for link in links if link[2] not in anchors(made[link[0]])] == []


def test_a_check_without_a_way_is_refused() -> None:
    with pytest.raises(OperatorError, match=r"lists the check dance, .*add it to WAYS in runbooks/handoff/regular.py"):
        list(ways(["dance"]))


def test_no_page_has_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every secret that the environment's plans make is marked; no page may have the mark."""
    monkeypatch.setattr(store, "password", lambda: "Canary7" + "Handoff")
    env = environment(tmp_path)
    for service in env.catalogue.services:
        env.login("postgresql", service)
    assert "Canary7" in env.secret("postgresql/auth-service/a")
    handoff = Handoff.of(env, COMMIT, observation(env))
    found = [path for path, text in pages(handoff).items() if "Canary7" in text or "PRIVATE KEY" in text]
    assert found == []


def test_the_full_bundle_has_no_local_files(made: dict[str, str]) -> None:
    files = bundle.full(made, bundle.sources())
    assert {"Makefile", "deploys/full.py", "THIIO-ONBOARDING.md", f"{TREE}/README.md"} <= files.keys()
    local = (".venv", ".lab/", ".cloud", "dist/", "reports/", ".git/")
    assert [path for path in files if path.startswith(local) or "__pycache__" in path] == []


def test_wrong_pages_are_complained_of(env: Environment, made: dict[str, str]) -> None:
    handoff, page = Handoff.of(env, COMMIT, None), f"{TREE}/services/glitch.md"
    less = {path: text for path, text in made.items() if path != page}
    assert f"{page} is missing" in complaints(handoff, less, [])
    for path in (page, f"{TREE}/deployment/docker-compose.full.yml"):
        assert f"{path} is empty" in complaints(handoff, {**made, path: " \n"}, [])
    assert "docs/THIIO-HANDOFF/x.md is not in the contract" in complaints(handoff, {**made, f"{TREE}/x.md": "x"}, [])


def test_the_contract_counts() -> None:
    assert len(contract.bundle_files()) == len(set(contract.bundle_files())) == contract.FILE_COUNT
    assert {group: len(paths) for group, paths in contract.BUNDLE.items()} == {
        "packaging": 2, "workflow": 1, "architecture": 3, "operations": 5, "services": 3, "modules": 2, "frontend": 1,
        "deployment": 2, "root": 4,
    }  # fmt: skip
