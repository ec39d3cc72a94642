"""Fields that lines of containers, of Nginx and of the router get, by which they are found.

SERVICE: who wrote the line. TASK and RELEASE: of a container. REQUEST_ID, USER_ID, STATUS_CODE, LEVEL: from a message
in the platform's format, which is JSON (operations.yaml: logging).
"""

import json
import re

from roles.log_forwarder.host.export import Entry

CONTAINER = re.compile(rb"nexus_([^.]+)\.(.+)")  # STACK_SERVICE.SLOT.TASK, or STACK_SERVICE.NODE.TASK
RELEASE = re.compile(rb":([^:/@]+)(?:@|$)")  # of an image REGISTRY:PORT/NAME:RELEASE@DIGEST
FROM_MESSAGE = {"requestId": b"REQUEST_ID", "userId": b"USER_ID", "statusCode": b"STATUS_CODE"}
PRIORITIES = {"debug": b"7", "info": b"6", "warn": b"4", "error": b"3", "fatal": b"2"}
PLAIN_WRITERS = frozenset({b"nginx", b"router"})  # not containers, and their messages are in the platform's format
CHARACTERS = 200  # of a value: longer ones are no identifiers, and would not be worth an index


def add_fields(entry: Entry) -> None:
    """Add what this line says about itself."""
    values = entry.values
    if container := values.get(b"CONTAINER_NAME"):
        if found := CONTAINER.fullmatch(container):
            entry.set(b"SERVICE", found[1])
            entry.set(b"TASK", found[1] + b"." + found[2])
        if found := RELEASE.search(values.get(b"IMAGE_NAME", b"")):
            entry.set(b"RELEASE", found[1])
    elif (writer := values.get(b"SYSLOG_IDENTIFIER")) in PLAIN_WRITERS and writer:
        entry.set(b"SERVICE", writer)
    else:
        return
    message = values.get(b"MESSAGE", b"")
    if message.startswith(b"{"):
        _of_message(entry, message)


def _of_message(entry: Entry, message: bytes) -> None:
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):  # cut off, or not what it looks like
        return
    for name, field in FROM_MESSAGE.items():
        value = said.get(name)
        if value not in (None, "", 0):
            text = str(value).encode(errors="replace")[:CHARACTERS]
            if b"\n" not in text:
                entry.set(field, text)
    level = said.get("level")
    if isinstance(level, str) and level in PRIORITIES:
        entry.set(b"LEVEL", level.encode())
        entry.set(b"PRIORITY", PRIORITIES[level])
