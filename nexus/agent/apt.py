"""Packages on this host: installed by apt, never by removing others, and never while another process works on them."""

import fcntl
import os
import struct
import time
from collections.abc import Sequence

from nexus.agent.dpkg import JOURNAL, LASTING, packages
from nexus.agent.lib import RemoteError, listing, run

LOCKS = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock")
WAIT_SECONDS = 300
OPTIONS = ["-y", "-q", "--no-install-recommends", "--no-remove", "-o", f"DPkg::Lock::Timeout={WAIT_SECONDS}"]
OPTIONS += ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
UPDATE = ["apt-get", "update", "-q", "-o", f"DPkg::Lock::Timeout={WAIT_SECONDS}", "-o", "APT::Update::Error-Mode=any"]
FEW_LISTS = 4  # a host with fewer has never run apt-get update


def install(wanted: Sequence[str], update: bool) -> None:
    """Finish what dpkg has begun, then install these packages; RemoteError says what is in the way."""
    wait_for_others()
    finish(wanted)
    if not wanted:
        return
    stale = refresh() if update or len(listing("/var/lib/apt/lists")) < FEW_LISTS else ""
    try:
        run(["apt-get", "install", *OPTIONS, *wanted], timeout=1800)
    except RemoteError as error:  # package lists may be older than the archive
        refuse_removals(wanted)
        stale = stale or refresh()
        try:
            run(["apt-get", "install", *OPTIONS, *wanted], timeout=1800)
        except RemoteError as last:
            refuse_removals(wanted)
            raise RemoteError(explained(wanted, f"{last}", stale)) from error
    if stale:
        print(f"packages are installed, but some package lists could not be fetched: {stale}")


def refresh() -> str:
    """Fetch the lists of all repositories. Returns apt's messages about those that failed, empty if none did."""
    done, said = whole(UPDATE, 300)
    if done:
        return ""
    lines, found = said.splitlines(), list[str]()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("Err:"):
            found.append(f"{line.partition(' ')[2]}: {below.strip()}")
        elif line.startswith("E:") and "Some index files" not in line:
            found.append(line)
    return "\n".join(dict.fromkeys(found)) or said[-500:]


def whole(argv: Sequence[str], timeout: float = 120) -> tuple[bool, str]:
    """Whether a command succeeded, and everything it wrote to both outputs, in order."""
    said = run(["sh", "-c", '"$@" 2>&1; echo "\n$?"', "sh", *argv], timeout=timeout)
    text, _, status = said.rstrip().rpartition("\n")
    return status == "0", text


def finish(wanted: Sequence[str]) -> None:
    """Configure packages that are unpacked but not configured, such as a killed run leaves.

    The error names a package that cannot be configured, with dpkg's message; the package is not removed.
    """
    if not unfinished() and not listing(JOURNAL):  # apt refuses to work while there is a journal
        return
    failure = ""
    try:
        run(["dpkg", "--configure", "-a", "--force-confdef", "--force-confold"], timeout=900)
    except RemoteError as error:
        failure = str(error)
    broken = {name: state for name, state in unfinished().items() if name not in wanted}
    ours = sorted(name for name in unfinished() if name in wanted)
    if ours and not broken:  # apt unpacks them again if necessary
        run(["apt-get", "install", *OPTIONS, "--reinstall", *ours], timeout=1800)
    elif broken:
        told = ", ".join(f"{name} is {state}" for name, state in sorted(broken.items()))
        raise RemoteError(
            f"dpkg cannot finish an earlier installation: {told}. apt installs nothing until this is fixed. Nothing "
            f"was removed. `dpkg --configure {sorted(broken)[0]}` shows the reason; repair the package or remove it, "
            f"then rerun\n{failure}"
        )


def unfinished() -> dict[str, str]:
    """Packages that dpkg has not finished, with their states."""
    return {name: state for name, state in packages(()).items() if state not in LASTING}


def refuse_removals(wanted: Sequence[str]) -> None:
    """RemoteError if apt would remove packages, or change packages on hold."""
    if why := in_the_way(wanted):
        raise RemoteError(why)


def foreseen(wanted: Sequence[str]) -> dict[str, str]:
    """{"why": the reason why these cannot be installed, or empty}, before anything is done."""
    fetched = len(listing("/var/lib/apt/lists")) >= FEW_LISTS  # otherwise apt knows no packages at all
    return {"why": in_the_way(wanted) if fetched else ""}


def in_the_way(wanted: Sequence[str]) -> str:
    """The removals or changes that apt would have to make but must not, in words; empty if there are none."""
    if names := sorted(touched(wanted, "Remv ")):
        return (
            f"to install {', '.join(wanted)} apt would remove {', '.join(names)}, and runs never remove packages "
            "unasked: remove them yourself, or change what conflicts with them, then rerun"
        )
    held = set(run(["apt-mark", "showhold"]).split())
    if names := sorted(held & touched(wanted, "Inst ", "APT::Ignore-Hold=true")) if held else []:
        return (
            f"to install {', '.join(wanted)} apt would change {', '.join(names)}, which an administrator has put on "
            f"hold: allow it with `apt-mark unhold {' '.join(names)}`, then rerun"
        )
    return ""


def touched(wanted: Sequence[str], kind: str, option: str = "APT::Get::Remove=true") -> set[str]:
    """Packages that apt would install or upgrade ("Inst ") or remove ("Remv ") to install these."""
    options = [word for word in OPTIONS if word != "--no-remove"]
    argv = ["apt-get", "install", "--simulate", "--allow-change-held-packages", "-o", option, *options, *wanted]
    return {line.split()[1] for line in whole(argv)[1].splitlines() if line.startswith(kind)}


def explained(wanted: Sequence[str], failure: str, stale: str) -> str:
    """Why packages could not be installed: apt's error, and the repositories that failed."""
    parts = [f"{', '.join(wanted)} could not be installed. {failure}"]
    if "unmet dependencies" in failure.lower():
        parts.append(
            "Packages on this host have unmet dependencies; nothing was removed to fix that. Install the dependencies, "
            f"or remove these packages, then rerun: {'; '.join(unmet()) or '`apt-get check` names them'}"
        )
    if stale:
        parts.append(f"Package lists could not be fetched, which may be why packages are missing:\n{stale}")
    return "\n".join(parts)


def unmet() -> list[str]:
    """Packages whose dependencies are not met, in apt's words."""
    _, said = whole(["apt-get", "check", "-q", "-o", "Debug::NoLocking=true"])
    return [" ".join(line.split()) for line in said.splitlines() if " : Depends: " in line]


def wait_for_others() -> None:
    """Wait until no other process works on packages, and report which process it waits for."""
    deadline, told = time.monotonic() + WAIT_SECONDS, ""
    while found := holder():
        path, process = found
        if time.monotonic() > deadline:
            raise RemoteError(
                f"{process} still holds {path} after {WAIT_SECONDS} s: wait until it ends or stop it, then rerun"
            )
        if process != told:
            print(f"waiting up to {WAIT_SECONDS} s for {process}, which holds {path}", flush=True)
            told = process
        time.sleep(0.5)


def holder() -> tuple[str, str] | None:
    """(lock, process) of another program that works on packages, or None."""
    for path in LOCKS:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, number = struct.unpack("hhqqi4x", fcntl.fcntl(handle, fcntl.F_GETLK, asked))
        finally:
            os.close(handle)
        if kind != fcntl.F_UNLCK:
            return path, f"{command_of(number)} (process {number})"
    return None


def command_of(number: int) -> str:
    """A process's command line, shortened."""
    try:
        with open(f"/proc/{number}/cmdline", "rb") as stream:
            words = stream.read(1000).decode(errors="replace").split("\0")
    except OSError:
        return "a process"
    return " ".join(words).strip()[:80] or "a process"
