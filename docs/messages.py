"""Writes messages.md: every error and note that an operator can meet, from the code that prints it: `make messages`.

With `--check` it only says by its exit status whether the page is up to date.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).with_name("messages.md")
ROOT = PAGE.parents[1]
FOLDERS = ("nexus", "roles", "runbooks", "deploys")
NOT_FOR_OPERATORS = {"KeyError", "AttributeError", "AssertionError", "SystemExit", "EOFError", "IncompleteRead"}
PRINTED = (
    "note",
    "complain",
    "die",
    "wrong",
    "failure",
    "Problem",
    "Refusal",
)  # functions whose first text is read by operators
SHORTEST = 12  # characters of a text that stands by itself
INTRODUCTION = """# Messages

Every error and note of a run, by the file that prints it. `{name}` is filled in when it is printed.
Search this page for the fixed words of what you read; [operations.md](operations.md) starts from symptoms.
This page is generated: `make messages`.
"""


def text(node: ast.expr) -> str:
    """The words of an expression, with a name in braces for what is filled in; empty where it has none of its own."""
    match node:
        case ast.Constant(value=str(words)):
            return words
        case ast.JoinedStr(values=values):
            return "".join(text(value) for value in values)
        case ast.FormattedValue(value=value):
            return f"{{{_name(value)}}}"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return text(left) + text(right)
        case ast.IfExp(body=body, orelse=other):
            return text(body) or text(other)
    return ""


def _name(node: ast.expr) -> str:
    """A short name for what is filled in: the last of `self.env.name`, the first named of a longer expression."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Call(func=ast.Attribute(attr="join"), args=[value]):
            return _name(value)
        case ast.Subscript(value=value) | ast.Starred(value=value):
            return _name(value)
        case ast.Call(func=func):
            return _name(func)
    return next((found.id for found in ast.walk(node) if isinstance(found, ast.Name)), "...")


def messages(source: str) -> Iterator[str]:
    """The messages of one file, in its order."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and _is_for_operators(node)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        words = max((text(argument) for argument in call.args), key=len, default="")
        if len(words) >= SHORTEST and " " in words:
            yield " ".join(words.split())


def _is_for_operators(call: ast.Call) -> bool:
    name = _name(call.func)
    return name in PRINTED or (name.endswith(("Error", "Damage", "NoRoom")) and name not in NOT_FOR_OPERATORS)


def page() -> str:
    """The page as it should be."""
    parts = [INTRODUCTION]
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if found := list(dict.fromkeys(messages(path.read_text()))):
                lines = "\n".join(f"- {words.replace('<', '&lt;')}" for words in found)
                parts.append(f"## {path.relative_to(ROOT)}\n\n{lines}\n")
    return "\n".join(parts)


def main(words: list[str]) -> int:
    """Exit status."""
    made = page()
    if words != ["--check"]:
        PAGE.write_text(made)
    elif not PAGE.is_file() or PAGE.read_text() != made:
        print(f"{PAGE} is not up to date: make messages")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
