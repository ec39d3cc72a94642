"""A project of toy roles, and its runs: the real command line, over SSH, with the real agent."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.library import toy_hosts
from tests.library.toy_hosts import Host

LIBRARY = Path(__file__).resolve().parents[2]
CLOSING = re.compile(r"^\w+: \d+ hosts?, (\d+) changes?", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """The exit status and output of a run."""

    status: int
    output: str

    @property
    def changes(self) -> int:
        """The number of changes in the closing line; -1 if there is none."""
        found = CLOSING.search(self.output)
        return int(found[1]) if found else -1


@dataclass
class Toy:
    """A copy of the toy project with two hosts."""

    root: Path
    hosts: dict[str, Host]
    counting: int = 1  # hosts in the counter's group

    def run(self, *words: str, brief: bool = False) -> Outcome:
        """Run pyinfra in the project, with -v unless `brief` is set."""
        done = subprocess.run(
            self.command(*words, *([] if brief else ["-v"])),
            cwd=self.root, env=self.environment(), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout + done.stderr)

    def asked(self, answer: str, *words: str) -> Outcome:
        """Run pyinfra on a terminal and give this answer to its question."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            self.command(*words), cwd=self.root, env=self.environment(), stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        said = ""
        with contextlib.suppress(OSError):  # the other side is closed
            while text := os.read(ours, 65536).decode(errors="replace"):
                if "Press enter" in text and "Press enter" not in said:
                    os.write(ours, f"{answer}\n".encode())
                said += text
        return Outcome(process.wait(120), said)

    def command(self, *words: str) -> list[str]:
        """pyinfra's command line."""
        return [str(Path(sys.executable).with_name("pyinfra")), "inventory", "deploys/full.py", *words]

    def environment(self) -> dict[str, str]:
        """Variables of the process that leave out this checkout's own."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("NEXUS_")}
        environment |= {
            "NEXUS_LIBRARY": str(LIBRARY),
            "NEXUS_AGE_IDENTITY": str(self.root / "age.key"),
            "TOY_HOSTS": json.dumps(toy_hosts.data(self.root.parent, self.hosts)),
            "TOY_COUNTING": str(self.counting),
            "XDG_CACHE_HOME": str(self.root / "cache"),
        }
        return environment
