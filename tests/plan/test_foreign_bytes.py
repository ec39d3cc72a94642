"""Foreign bytes never break code that runs on hosts, and answers from there can be printed."""

from __future__ import annotations

import ast
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nexus.plan import diff
from nexus.plan.desired import Desired, Group, User
from nexus.transport import printable
from nexus.transport.protocol import COMMAND, lines

PROJECT = Path(__file__).parents[2]
OWN_BYTES = ("b64encode", "b2a_base64", "urlsafe_b64encode")  # whose result is ASCII


def host_side() -> set[Path]:
    """All files that run on hosts: the agent, and the code that roles and runbooks send or install."""
    rooms = [PROJECT / room for room in ("nexus", "roles", "runbooks")]
    return {*PROJECT.glob("nexus/agent/**/*.py"), *(path for room in rooms for path in room.rglob("host/*.py"))}


def strict(path: Path) -> Iterator[str]:
    """Places that raise an error for bytes that are not UTF-8."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and (why := reason(node)):
            yield f"{path.relative_to(PROJECT)}:{node.lineno}: {why}"


def reason(call: ast.Call) -> str:
    """The reason why a call would fail on foreign bytes; empty if it would not."""
    words = {word.arg: word.value for word in call.keywords}
    if "errors" in words:
        return ""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    member = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name == "open" or member == "open":
        mode = call.args[1] if len(call.args) > 1 else words.get("mode")
        text = ast.literal_eval(mode) if isinstance(mode, ast.Constant) else "r" if mode is None and name else "b"
        return "" if not isinstance(text, str) or "b" in text or text[0] in "wax" else "open() without errors="
    if member == "read_text":
        return "read_text() without errors="
    if member in ("run", "Popen", "check_output") and {"text", "encoding", "universal_newlines"} & set(words):
        return f"{member}() of text without errors="
    if member == "decode" and not call.args:
        inner = call.func.value if isinstance(call.func, ast.Attribute) else None
        of = inner.func if isinstance(inner, ast.Call) else None
        own = getattr(of, "attr", getattr(of, "id", "")) in OWN_BYTES
        return "" if own else "decode() without errors="
    return ""


def test_code_on_hosts_reads_any_bytes() -> None:
    files = host_side()
    assert len(files) > 60
    assert [place for path in sorted(files) for place in strict(path)] == []


def test_agents_start_in_utf8_whatever_the_locale() -> None:
    assert "python3 -X utf8 -I" in COMMAND


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("plain, ünï and \N{PARTY POPPER}", "plain, ünï and \N{PARTY POPPER}"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[2Jgone", "\N{REPLACEMENT CHARACTER}[2Jgone"),
        ("J\udcfcrgen", "J\N{REPLACEMENT CHARACTER}rgen"),
        ("C1 \x9b and DEL \x7f", "C1 \N{REPLACEMENT CHARACTER} and DEL \N{REPLACEMENT CHARACTER}"),
        ("a \\u001b that is text", "a \\u001b that is text"),
    ],
)
def test_answers_from_hosts_are_printable(sent: str, shown: str) -> None:
    assert printable.answer(json.dumps({"x": sent})) == {"x": shown}
    if "\n" not in sent:
        assert printable.text(sent) == shown


FOREIGN = b"""root:x:0:0:root:/root:/bin/sh
J\xfcrgen:x:1001:1001:J\xfcrgen Gro\xdf,\x1b[2J:/home/j:/bin/sh
"""
GROUPS = b"root:x:0:\nJ\xfcrgen:x:1001:daemon\nadm:x:4:J\xfcrgen,root\n"
TELL = r"""
from nexus.agent.lib import run
def probe(names, context):
    print(run(["printf", "\\377 and \\033[2J"]), flush=True)
    return {"said": {"text": run(["printf", "\\377 and \\033[2J"]), "path": "/srv/\udcfc"}}
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.parametrize("locale", ["C", "de_DE.ISO-8859-1", "C.UTF-8"])
def test_accounts_and_output_may_contain_any_bytes(tmp_path: Path, locale: str) -> None:
    (tmp_path / "passwd").write_bytes(FOREIGN)
    (tmp_path / "group").write_bytes(GROUPS)
    (tmp_path / "own").write_text("")
    os.chown(tmp_path / "own", 1001, 1001)
    plan = Desired(absent=(str(tmp_path / "own"),), users=(User("root"),), groups=(Group("adm"),), packages=("dpkg",))
    question = diff.question([plan])
    state = {"source": len(question["texts"]), "libraries": [], "names": [], "context": {}}
    question |= {"states": {"x": state}, "texts": [*question["texts"], TELL]}
    mounts = "mount -t tmpfs none /run && " + " && ".join(
        f"mount --bind {tmp_path}/{name} /etc/{name}" for name in ("passwd", "group")
    )
    set_up = f'{mounts} && exec {os.path.realpath(sys.executable)} "$@"'
    command = COMMAND.replace("exec python3", f"exec unshare --mount sh -ec {shlex.quote(set_up)} sh")
    done = subprocess.run(
        ["sh", "-c", command], input="\n".join(lines(question)).encode() + b"\n", capture_output=True, check=False,
        env={**os.environ, "LC_ALL": locale, "LANG": locale},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said, reply = done.stdout.decode().splitlines()
    assert printable.text(said) == "? and \N{REPLACEMENT CHARACTER}[2J".replace("?", "\N{REPLACEMENT CHARACTER}")
    answer = printable.answer(reply)
    assert answer["paths"][str(tmp_path / "own")][2:4] == ["J\N{REPLACEMENT CHARACTER}rgen"] * 2
    assert answer["users"] == {"root": ["adm"]}
    assert answer["states"]["x"]["items"]["said"]["path"] == "/srv/\N{REPLACEMENT CHARACTER}"
