"""What probes and steps share: commands, stamps, manifests, and what lies at a path."""

import contextlib
import fcntl
import grp
import hashlib
import json
import os
import pwd
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any

STATE = "/var/lib/nexus-cos"
MANIFEST = f"{STATE}/manifest"
STAMP = "/run/nexus-cos/stamp"
FENCE = f"{STATE}/fence.json"
CHECK_SECONDS = 60
MOST_SHOWN = 200  # characters of a command
ONCE: dict[tuple[str, ...], Any] = {}
TURNS: dict[tuple[str, ...], Any] = {}  # locks of those who ask for the same
ONE_BY_ONE = Lock()


class RemoteError(Exception):
    """A step that could not be carried out; its text is shown to the operator."""


_shows = False


def show_all() -> None:
    """From now on every command and every file that is written is told: the run has -v."""
    global _shows
    _shows = True


def show(text: str) -> None:
    """Tell a line of what is carried out here, where the run wants to know."""
    if _shows:
        print(text, flush=True)


def in_words(argv: Sequence[str], user: str | None) -> str:
    """A command as a shell would take it, on one line."""
    import shlex

    words = shlex.join([*(["runuser", "-u", user, "--"] if user else []), *argv])
    first, *rest = words.splitlines()
    return f"$ {first[:MOST_SHOWN]}{' ...' if rest or len(first) > MOST_SHOWN else ''}"


def run(
    argv: Sequence[str],
    input: str | None = None,
    user: str | None = None,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
) -> str:
    """Standard output of a command; RemoteError with its last lines when it fails.

    Its arguments are shown at -v, and to anyone who lists processes: a secret goes in by `input` or `env`, which are
    never shown.
    """
    show(in_words(argv, user))
    try:
        done = subprocess.run(
            list(argv),
            input=input,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
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


def refusal(command: str) -> str | None:
    """Why a role cannot work on this host, None when it can; RemoteError where its check does not end."""
    argv = ["/bin/sh", "-c", command]
    try:
        done = subprocess.run(
            argv, capture_output=True, encoding="utf-8", errors="replace", timeout=CHECK_SECONDS, cwd="/"
        )
    except subprocess.TimeoutExpired:
        raise RemoteError(f"a check of this host did not end within {CHECK_SECONDS} s") from None
    if not done.returncode:
        return None
    return done.stdout.strip() or done.stderr.strip() or "refused without a reason"


def once(ask: Callable[[], Any], *key: str) -> Any:
    """The first answer to a question in the life of this process: all states of a probe are of one moment.

    They are asked for side by side, so the second one waits.
    """
    with ONE_BY_ONE:
        turn = TURNS.setdefault(key, Lock())
    with turn:
        if key not in ONCE:
            ONCE[key] = ask()
        return ONCE[key]


def account(name: str) -> dict[str, Any]:
    """What makes a process that of an account: its user, group and all its groups."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise RemoteError(f"account {name} does not exist: install the package that creates it") from None
    groups = os.getgrouplist(name, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}


@contextlib.contextmanager
def held(path: str) -> Iterator[None]:
    """Hold the file; wait while another process on this host holds it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(path: str) -> str | None:
    """SHA-256 of a file's content, None when it is not there."""
    try:
        with open(path, "rb") as stream:
            return digest_of(stream)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def digest_of(stream: Any) -> str:
    """SHA-256 of an open file's content."""
    return hashlib.file_digest(stream, "sha256").hexdigest()


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
        with open(f"{STAMP}/{unit}", errors="replace") as stream:
            return {line[66:].rstrip("\n"): line[:64] for line in stream}
    except FileNotFoundError:
        return None


def listing(directory: str) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return sorted(os.listdir(directory))
    return []


def read_manifest(role: str) -> dict[str, dict[str, bool]]:
    try:
        with open(f"{MANIFEST}/{role}.json", errors="replace") as stream:
            recorded: dict[str, dict[str, bool]] = json.load(stream)
            return recorded
    except (FileNotFoundError, ValueError):
        return {}


def read_fence() -> dict[str, int]:
    """{"run": number of the run that came here last, "steps": how many steps were carried out here ever}."""
    try:
        with open(FENCE, errors="replace") as stream:
            known = json.load(stream)
        return {"run": int(known["run"]), "steps": int(known["steps"])}
    except FileNotFoundError:
        return {"run": 0, "steps": 0}
    except (ValueError, KeyError, TypeError):
        raise RemoteError(
            f"{FENCE} cannot be read, so it is unknown which run may change this host. Once no run is under way, "
            "remove the file and rerun"
        ) from None
