"""A run that changes something on every host until the file RELEASED exists, for HOLD_SECONDS at most."""

import os

from pyinfra.operations import server

RELEASED = "/run/nexus-hold-released"
turns = 5 * int(os.environ["HOLD_SECONDS"])
wait = f"for turn in $(seq {turns}); do test -e {RELEASED} && break; sleep 0.2; done"
server.shell(name="Work for a while", commands=wait)
