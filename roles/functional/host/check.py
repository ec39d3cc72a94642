"""One functional check, run by any client: its requests in order, and what is wrong with the answers.

It uses only the standard library: it runs on an edge host, and in tests that ask the edge from outside.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

Request = Mapping[str, Any]  # method, path, body, status, expect, keep: see nexus/catalogue/functional.py
Ask = Callable[[str, str, bytes | None], tuple[int, str]]  # method, path and JSON body; status and text
PLACEHOLDER = re.compile(r"\{(\w+)\}")
SHOWN = 300  # how many characters of an answer are shown
MISSING = object()


def failure(requests: Sequence[Request], mark: str, ask: Ask) -> str:
    """The first request with a wrong answer, and that answer; empty when all answers are right."""
    known: dict[str, Any] = {"mark": mark}
    for request in requests:
        path = PLACEHOLDER.sub(lambda found: quote(str(known[found[1]]), safe=":"), request["path"])
        what, body = f"{request['method']} {path}", request.get("body")
        try:
            status, text = ask(request["method"], path, json.dumps(filled(body, known)).encode() if body else None)
        except OSError as error:
            return f"{what} gets no answer: {error or type(error).__name__}"
        said = f"{what} answers {status} {' '.join(text.split())[:SHOWN]}".rstrip()
        if status != request["status"]:
            return f"{said}: expected {request['status']}"
        answer = parsed(text)
        for field, wanted in filled(request.get("expect") or {}, known).items():
            if (there := value(answer, field)) != wanted:
                return f"{said}: {field} is {shown(there)}, expected {shown(wanted)}"
        for name, field in (request.get("keep") or {}).items():
            if (there := value(answer, field)) in (MISSING, None, ""):
                return f"{said}: it has no {field}"
            known[name] = there
    return ""


def parsed(text: str) -> Any:
    """The answer as data; None where it is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def filled(given: Any, known: Mapping[str, Any]) -> Any:
    """The data with placeholders replaced; a text that is only a placeholder keeps the type of its value."""
    if isinstance(given, str):
        whole = PLACEHOLDER.fullmatch(given)
        return known[whole[1]] if whole else PLACEHOLDER.sub(lambda found: str(known[found[1]]), given)
    if isinstance(given, Mapping):
        return {name: filled(part, known) for name, part in given.items()}
    return [filled(part, known) for part in given] if isinstance(given, list | tuple) else given


def value(answer: Any, field: str) -> Any:
    """The value at a dotted path; MISSING where the answer has none."""
    for part in field.split("."):
        if isinstance(answer, dict) and part in answer:
            answer = answer[part]
        elif isinstance(answer, list) and part.isdigit() and int(part) < len(answer):
            answer = answer[int(part)]
        else:
            return MISSING
    return answer


def shown(there: Any) -> str:
    """A value for a message."""
    return "missing" if there is MISSING else json.dumps(there)[:SHOWN]
