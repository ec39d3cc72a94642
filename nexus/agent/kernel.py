"""Refusals of the kernel in words: what is wrong at a path, and the command that fixes it.

The agent uses these words for an error in a step, the controller for what a probe found before the first step.
"""

import contextlib
import errno
import fcntl
import os
import struct

GET_FLAGS = 0x80086601  # FS_IOC_GETFLAGS of a 64-bit kernel
IMMUTABLE, APPEND = 0x10, 0x20

WORDS = {
    "EROFS": "{path} is on a file system that is mounted read-only: mount -o remount,rw {place}, then rerun",
    "IMMUTABLE": "{path} cannot be changed, because {place} is immutable: chattr -i {place}, then rerun",
    "APPEND": "{path} cannot be changed, because {place} is append-only: chattr -a {place}, then rerun",
    "MOUNT": "{path} is a mount point and must be replaced: umount {path}, then rerun",
    "EBUSY": "{path} is in use and cannot be replaced or removed: `findmnt {path}` shows a mount, "
    "`ls -l /proc/*/cwd /proc/*/fd` the process that uses it; stop that and rerun",
    "ENOSPC": "{path} does not fit: no space is left on the file system of {place}: df -h {place}; free some and rerun",
    "INODES": "{path} cannot be created: the file system of {place} has no inodes left: df -i {place}; "
    "remove files there and rerun",
    "EDQUOT": "{path} does not fit: the disk quota for {place} is used up: raise it (quota, edquota), then rerun",
    "EFBIG": "{path} is larger than the file system of {place} or a limit allows: ulimit -f, then rerun",
    "EACCES": "access to {path} is denied even to root: look at the export (no_root_squash), the FUSE mount "
    "(allow_other) or the security module (dmesg) of {place}, then rerun",
    "EPERM": "the kernel does not permit a change of {path}: look at lsattr -d {place} and at the options of its mount "
    "(findmnt -T {place}), then rerun",
    "ENAMETOOLONG": "{path} has a name that the file system of {place} cannot hold: shorten it, then rerun",
    "ELOOP": "{path} leads through a loop of links: ls -l {place}; remove the wrong link and rerun",
    "ENOTDIR": "{path} cannot exist, because {place} is not a directory: move it away, then rerun",
    "ENOENT": "{path} cannot be reached, because {place} is a dangling link: mount or create its target, then rerun",
    "EIO": "{path} cannot be read or written, the disk reports an error (see dmesg): repair the file system of {place} "
    "(fsck) or replace the disk, then rerun",
    "ETXTBSY": "{path} is a program that is running: `ls -l /proc/*/exe` names the process; stop it and rerun",
    "EMFILE": "too many open files in one process at {path}: ulimit -n",
    "ENFILE": "too many open files on the whole host at {path}: sysctl fs.file-max; lsof shows who holds them",
    "ENOMEM": "no memory is left to work on {path} (see free): stop what uses it and rerun",
    "ENOTCONN": "{path} cannot be reached: the program behind the file system of {place} has ended: umount -l {place}, "
    "mount it again, then rerun",
    "ESTALE": "{path} cannot be reached: its server no longer knows the file system of {place}: umount -l {place}, "
    "mount it again, then rerun",
    "EXDEV": "{path} is a separate mount point and must be replaced: umount {path}, then rerun",
}


def told(code: str, path: str, place: str = "", reason: str = "") -> str:
    """What a code of WORDS means at a path; `reason` is the kernel's text for a code that is not in WORDS."""
    text = WORDS.get(code)
    return text.format(path=path, place=place or path) if text else f"{path}: {reason or code}"


def explained(error: OSError) -> str:
    """An error of the kernel in words, after a look at its path."""
    if error.errno is None:  # raised by a library, with its own text
        return f"{type(error).__name__}: {error}"
    # For a file that was written next to its target and renamed, people know the target.
    name = error.filename2 or error.filename
    path = printable(name) if isinstance(name, str | bytes) else ""
    if not path:  # such as a connection that was refused
        return f"{type(error).__name__}: {error}"
    code, place = found_at(path, errno.errorcode.get(error.errno, ""))
    return told(code, path, place, os.strerror(error.errno))


def found_at(path: str, code: str) -> tuple[str, str]:
    """A more precise code for what is in the way at a path, and the place that it concerns."""
    near = existing(path)
    if code in ("EPERM", "EACCES"):
        for place in (path, near):
            if held := held_by(place):
                return held, place
    if code in ("EBUSY", "EXDEV") and os.path.lexists(path) and printable(path) in mounts():
        return "MOUNT", path
    if code == "ENOSPC" and not _has_inodes(near):
        return "INODES", mount_of(near)
    if code in ("ENOENT", "ELOOP", "EEXIST") and (link := _link(path)):
        return "ENOENT" if code == "EEXIST" else code, link
    if code == "ENOENT":  # the path does not exist: the kernel's text is clear enough
        return "", near
    if code in ("ENOTDIR", "EEXIST") and not os.path.isdir(near):
        return "ENOTDIR", near
    return code, mount_of(near)


def existing(path: str) -> str:
    """The nearest existing directory above a path, or the file in place of a directory."""
    place = os.path.dirname(path) or "/"
    while place != "/" and not os.path.lexists(place):
        place = os.path.dirname(place)
    return place


def _link(path: str) -> str:
    """The first dangling link on the way to a path."""
    place = ""
    for part in path.split("/")[1:]:
        place = f"{place}/{part}"
        if os.path.islink(place) and not os.path.exists(place):
            return place
    return ""


def mount_of(place: str) -> str:
    """Where the file system of a place is mounted."""
    place = os.path.realpath(place)
    known = mounts()
    while place != "/" and place not in known:
        place = os.path.dirname(place)
    return place


def mounts() -> set[str]:
    """All mount points of this host; none if the kernel does not list them."""
    with contextlib.suppress(OSError), open("/proc/self/mountinfo", "rb") as stream:
        return {unescaped(line.split(b" ", 5)[4]) for line in stream}
    return set()


def unescaped(field: bytes) -> str:
    """A path from /proc/self/mountinfo or /proc/self/mounts, with octal escapes of blanks and the like resolved."""
    if b"\\" in field:
        for number in (b"040", b"011", b"012", b"134"):  # the backslash last: it may be part of the name
            field = field.replace(b"\\" + number, bytes((int(number, 8),)))
    return os.fsdecode(field)


def held_by(place: str) -> str:
    """IMMUTABLE or APPEND if a file or directory has such a flag, otherwise empty."""
    with contextlib.suppress(OSError):
        handle = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return flag(handle)
        finally:
            os.close(handle)
    return ""


def flag(handle: int) -> str:
    """The same for an open file."""
    try:
        flags = struct.unpack("<Q", fcntl.ioctl(handle, GET_FLAGS, bytes(8)))[0]
    except OSError:  # a file system without such flags
        return ""
    return "IMMUTABLE" if flags & IMMUTABLE else "APPEND" if flags & APPEND else ""


def _has_inodes(place: str) -> bool:
    with contextlib.suppress(OSError):
        figures = os.statvfs(place)
        return figures.f_favail > 0 or not figures.f_files
    return True


def room(figures: os.statvfs_result) -> tuple[int, float]:
    """What services may still write to a file system: bytes, and percent of what they may write in all.

    As `df` counts: blocks that are kept for root, or that a quota takes away, are neither free nor used.
    """
    used = figures.f_blocks - figures.f_bfree
    return figures.f_bavail * figures.f_frsize, 100 * figures.f_bavail / max(1, used + figures.f_bavail)


def printable(text: str | bytes) -> str:
    """Text that is valid in every terminal and in JSON: bytes that are not UTF-8 become a mark."""
    return os.fsencode(text).decode(errors="replace")
