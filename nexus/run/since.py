"""Parser of `--data since=` and `until=`: how far back an operator wants to look."""

import datetime as dt
import re
import time

from nexus.error import OperatorError

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def moment(text: str, now: float, name: str = "since") -> float:
    """Return the seconds since the epoch for text such as "yesterday", "3h" or "2026-11-21"; 0 for empty text.

    Times without a zone are in the zone of the operator's machine. OperatorError, which calls the argument `name`, if
    the text is not a time.
    """
    midnight = time.mktime((*time.localtime(now)[:3], 0, 0, 0, 0, 0, -1))
    if text in ("", "today", "yesterday"):
        return {"": 0.0, "today": midnight, "yesterday": midnight - SECONDS["d"]}[text]
    if found := re.fullmatch(r"(\d+)([smhdw])", text):
        return now - int(found[1]) * SECONDS[found[2]]
    try:
        return dt.datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise OperatorError(
            f'{name}={text} is not a time: write today, yesterday, 30s, 90m, 3h, 7d, 2w, or a time as "2026-11-21" or '
            '"2026-11-21T19:00"'
        ) from None
