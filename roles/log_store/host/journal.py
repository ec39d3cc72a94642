"""Files of the journal in the directory of the log store, and what their headers say.

The places in a header are those of systemd's JOURNAL_FILE_FORMAT, which does not change for files that exist.
"""

import glob
import os
import re
import struct
from dataclasses import dataclass

SIGNATURE = b"LPKSHHRH"
HEADER_BYTES = 208
SEQUENCE, NUMBER = 72, 168  # where the id of its sequence of lines is, and the number of its first line in that
TIMES = 184  # where the times of the first and the last entry are, in microseconds since 1970
NAME = re.compile(r"logs(@[^/]*)?\.journal~?")  # closed ones have more in their names


@dataclass(frozen=True)
class Journal:
    """One file: whether it is closed, the times of its first and last line in seconds, and its size in bytes.

    `closed_name` is what systemd calls it once it is closed: systemd never removes a file with another name.
    """

    path: str
    closed: bool
    first: float
    last: float
    size: int
    closed_name: str = ""

    @property
    def key(self) -> str:
        """Its name in object storage, which says what lines it holds: FIRST-LAST in milliseconds."""
        return f"{int(self.first * 1000):015d}-{int(self.last * 1000) + 1:015d}.journal.zst"


def journals(directory: str) -> list[Journal]:
    """All journals with lines in them, oldest first; files that are something else are left out."""
    found = filter(None, map(read, glob.glob(f"{glob.escape(directory)}/*.journal*")))
    return sorted(found, key=lambda journal: journal.first)


def read(path: str) -> Journal | None:
    """What the header of a file says; None if it is not a journal, is empty, or has been removed."""
    name = NAME.fullmatch(os.path.basename(path))
    try:
        with open(path, "rb") as source:
            header = source.read(HEADER_BYTES)
            size = os.fstat(source.fileno()).st_blocks * 512
    except FileNotFoundError:
        return None
    if not name or not header.startswith(SIGNATURE) or len(header) < TIMES + 16:
        return None
    first, last = struct.unpack_from("<QQ", header, TIMES)
    closed = bool(name[1]) or path.endswith("~")
    (number,) = struct.unpack_from("<Q", header, NUMBER)
    sequence = header[SEQUENCE : SEQUENCE + 16].hex()
    closed_name = f"logs@{sequence}-{number:016x}-{first:016x}.journal"
    return Journal(path, closed, first / 1e6, last / 1e6, size, closed_name) if last else None
