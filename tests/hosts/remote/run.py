"""Runs on a host: carries out the parts of one question side by side and prints the answers as JSON.

Standard library alone, nothing is written. A part is the source of a module next to this one and a request;
its `ask(request)` gives the answer, and an error is an answer too.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def answer(part):
    """{"answer": ..., "seconds": ...} of one part, or {"error": text}."""
    scope: dict = {"__name__": f"verify_{part['name']}"}
    started = time.monotonic()
    try:
        exec(compile(part["source"], f"<{part['name']}>", "exec"), scope)
        return {"answer": scope["ask"](part["request"]), "seconds": time.monotonic() - started}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main(parts):
    """Print {name: answer}."""
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(parts, pool.map(answer, parts.values()), strict=True))
    json.dump(answers, sys.stdout)
