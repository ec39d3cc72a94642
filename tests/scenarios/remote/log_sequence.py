"""Prints which numbers of each writer are in the log store, as {"missing": [...], "lines": N}; see log_writer.py."""

import json
import subprocess
from collections import Counter

wanted = json.loads("ARGUMENT")
found = Counter()
search = ["journalctl", "--quiet", "--output=cat", "--file=/var/log/journal/remote/logs*.journal", "SERVICE=flood"]
with subprocess.Popen(search, stdout=subprocess.PIPE, text=True) as journal:
    for line in journal.stdout:
        name = json.loads(line)["requestId"] if line.startswith("{") else ""  # the last line is a number alone
        if name.startswith(wanted["run"]):
            found[name] += 1
missing = [
    f"{wanted['run']}-{writer}-{number}"
    for writer, last in wanted["written"].items()
    for number in range(1, last + 1)
    if not found[f"{wanted['run']}-{writer}-{number}"]
]
print(
    json.dumps(
        {
            "missing": len(missing),
            "examples": missing[:5],
            "lines": found.total(),
            "several": found.total() - len(found),
        }
    )
)
