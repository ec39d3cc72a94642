"""What the kernel refuses, in words: what is wrong at a path, and the command that undoes it.

The agent says it of an error within a step, the controller of what a probe has found before the first step.
"""

from __future__ import annotations

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
    """What a code of WORDS means at a path; `reason` is what the kernel calls a code that is not among them."""
    text = WORDS.get(code)
    return text.format(path=path, place=place or path) if text else f"{path}: {reason or code}"


def explained(error: OSError) -> str:
    """An error of the kernel in words, looking at the path that it concerns."""
    if error.errno is None:  # raised by a library, with words of its own
        return f"{type(error).__name__}: {error}"
    # Of a file that was written next to its target and renamed, the target is what people know.
    name = error.filename2 or error.filename
    path = printable(name) if isinstance(name, str | bytes) else ""
    if not path:  # such as a connection that was refused
        return f"{type(error).__name__}: {error}"
    code, place = found_at(path, errno.errorcode.get(error.errno, ""))
    return told(code, path, place, os.strerror(error.errno))


def found_at(path: str, code: str) -> tuple[str, str]:
    """The code that says more about what is in the way at a path, and the place that it concerns."""
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
    if code == "ENOENT":  # it is simply not there, which the kernel says well enough
        return "", near
    if code in ("ENOTDIR", "EEXIST") and not os.path.isdir(near):
        return "ENOTDIR", near
    return code, mount_of(near)


def existing(path: str) -> str:
    """The nearest directory above a path that exists, or the file that is where a directory should be."""
    place = os.path.dirname(path) or "/"
    while place != "/" and not os.path.lexists(place):
        place = os.path.dirname(place)
    return place


def _link(path: str) -> str:
    """The first link on the way to a path that leads nowhere."""
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
    """All mount points of this host; none where the kernel does not tell."""
    with contextlib.suppress(OSError), open("/proc/self/mountinfo", "rb") as stream:
        return {unescaped(line.split(b" ", 5)[4]) for line in stream}
    return set()


def unescaped(field: bytes) -> str:
    """A path of /proc/self/mountinfo or /proc/self/mounts, where octal numbers stand for blanks and the like."""
    if b"\\" in field:
        for number in (b"040", b"011", b"012", b"134"):  # the backslash last: it may be part of the name
            field = field.replace(b"\\" + number, bytes((int(number, 8),)))
    return os.fsdecode(field)


def held_by(place: str) -> str:
    """IMMUTABLE or APPEND where a file or directory has such a flag, nothing where it has none or cannot have one."""
    with contextlib.suppress(OSError):
        handle = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return flag(handle)
        finally:
            os.close(handle)
    return ""


def flag(handle: int) -> str:
    """The same of an open file."""
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


def printable(text: str | bytes) -> str:
    """Text that every terminal and every JSON can take: of bytes that are not UTF-8 a mark is left."""
    return os.fsencode(text).decode(errors="replace")
