"""What probes and steps share: commands, stamps, manifests, and what lies at a path."""

from __future__ import annotations

import contextlib
import fcntl
import grp
import json
import os
import pwd
import time
from _thread import allocate_lock  # as `threading` has it, without what else it has
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

try:  # `hashlib` loads OpenSSL, which takes 3 ms where nothing else needs it
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:  # before Python 3.12
    from hashlib import sha256

STATE = "/var/lib/nexus-cos"
MANIFEST = f"{STATE}/manifest"
STAMP = "/run/nexus-cos/stamp"
LOCK = "/run/nexus-cos/lock"
BESIDE = "/run/nexus-cos/beside"  # held by steps beside which their run goes on
FENCE = f"{STATE}/fence.json"
TURN_SECONDS = 1800  # as long as the longest step, a first build of all images, may take
LARGE_BYTES = 1 << 20  # from here on what OpenSSL is faster by is more than what it takes to be loaded
ONCE: dict[tuple[str, ...], Any] = {}
TURNS: dict[tuple[str, ...], Any] = {}  # locks of those who ask for the same
ONE_BY_ONE = allocate_lock()


class RemoteError(Exception):
    """A step that could not be carried out; its text is shown to the operator."""


def run(
    argv: Sequence[str],
    input: str | None = None,
    user: str | None = None,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
) -> str:
    """Standard output of a command; RemoteError with its last lines when it fails."""
    import subprocess  # 3 ms, and most questions run nothing

    try:
        done = subprocess.run(
            list(argv),
            input=input,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd="/",
            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **(env or {})},
            **(account(user) if user else {}),
        )
    except FileNotFoundError:
        raise RemoteError(f"{argv[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise RemoteError(f"{' '.join(argv[:3])} did not end within {timeout} s") from None
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-12:]
        raise RemoteError(f"{' '.join(argv[:3])} ended with {done.returncode}: " + "\n".join(lines))
    output: str = done.stdout
    return output


def once(ask: Callable[[], Any], *key: str) -> Any:
    """The first answer to a question in the life of this process: all states of a probe are of one moment.

    They are asked for side by side, so whoever comes second waits.
    """
    with ONE_BY_ONE:
        turn = TURNS.setdefault(key, allocate_lock())
    with turn:
        if key not in ONCE:
            ONCE[key] = ask()
        return ONCE[key]


def account(name: str) -> dict[str, Any]:
    """What makes a process that of an account: its user, group and all its groups."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise RemoteError(f"there is no account {name}: is what makes it installed?") from None
    groups = os.getgrouplist(name, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}


@contextlib.contextmanager
def turn(alone: bool, number: int | None = None) -> Iterator[Callable[[], None]]:
    """Wait for what is under way on this host: steps run alone, questions beside each other.

    A step goes on when the run that began it is killed. The next run must neither do the same beside it
    nor plan from what was true before it ended. Whoever is not root changes nothing and waits for nobody.

    A step that calls what it is given goes on beside others of its own run, told by its `number`; all else waits.
    """
    if os.geteuid():
        yield lambda: None
        return
    os.makedirs(os.path.dirname(LOCK), exist_ok=True)
    with open(LOCK, "a") as lock:
        deadline = time.monotonic() + TURN_SECONDS
        while not _came_in(lock.fileno(), alone, number):
            if time.monotonic() > deadline:
                raise RemoteError(
                    f"a step of another run is still under way after {TURN_SECONDS} s: `fuser {LOCK} {BESIDE}` names "
                    "its process; wait for its end, or end it"
                )
            time.sleep(0.05)
        with contextlib.ExitStack() as until_the_end:

            def let_in() -> None:
                beside = until_the_end.enter_context(open(BESIDE, "a"))
                fcntl.flock(beside, fcntl.LOCK_SH)
                fcntl.flock(lock, fcntl.LOCK_UN)

            yield let_in


def _came_in(lock: int, alone: bool, number: int | None) -> bool:
    """Hold the host's lock if nobody else does and nothing goes on beside it that another run has begun."""
    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        if os.path.exists(BESIDE) and (number is None or number != read_fence()["run"]):
            with open(BESIDE, "a") as beside:
                fcntl.flock(beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(lock, fcntl.LOCK_UN)
        return False
    return True


@contextlib.contextmanager
def held(path: str) -> Iterator[None]:
    """Wait for whoever else on this host holds the file, and hold it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(path: str) -> str | None:
    """SHA-256 of a file's content, None when it is not there."""
    try:
        with open(path, "rb") as stream:
            if os.fstat(stream.fileno()).st_size > LARGE_BYTES:
                import hashlib

                return hashlib.file_digest(stream, "sha256").hexdigest()
            return str(sha256(stream.read()).hexdigest())
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def group_exists(name: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(grp.getgrnam(name))
    return False


def groups_of(name: str) -> list[str] | None:
    """Supplementary groups of an account, None when there is no such account."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return None
    return [entry.gr_name for entry in grp.getgrall() if name in entry.gr_mem]


def read_stamp(unit: str) -> dict[str, str] | None:
    """{path: digest} of what the unit runs with, None when it was never stamped."""
    try:
        with open(f"{STAMP}/{unit}") as stream:
            return {line[66:].rstrip("\n"): line[:64] for line in stream}
    except FileNotFoundError:
        return None


def listing(directory: str) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return sorted(os.listdir(directory))
    return []


def read_manifest(role: str) -> dict[str, dict[str, bool]]:
    try:
        with open(f"{MANIFEST}/{role}.json") as stream:
            recorded: dict[str, dict[str, bool]] = json.load(stream)
            return recorded
    except (FileNotFoundError, ValueError):
        return {}


def read_fence() -> dict[str, int]:
    """{"run": number of the run that came here last, "steps": how many steps were carried out here ever}."""
    try:
        with open(FENCE) as stream:
            known = json.load(stream)
        return {"run": int(known["run"]), "steps": int(known["steps"])}
    except FileNotFoundError:
        return {"run": 0, "steps": 0}
    except (ValueError, KeyError, TypeError):
        raise RemoteError(
            f"{FENCE} cannot be read, so nobody knows which run may change this host: when no run is under way, "
            "remove it and run again"
        ) from None
