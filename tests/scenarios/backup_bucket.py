"""The bucket of backups, as its own host reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from control import Control
from inside import inside

from roles.storage.host.s3 import Bucket
from roles.storage.plan import BACKUP, access, server


@contextmanager
def bucket(control: Control) -> Iterator[Bucket]:
    """The bucket, reached from its host."""
    env = control.planned
    host = server(env)
    assert host
    with inside(control, host.name):
        yield Bucket({**access(env, BACKUP), "endpoint": host.address, "ca": str(env.setting.ca_file)})
