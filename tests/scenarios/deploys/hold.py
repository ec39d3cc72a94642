"""A run that changes something for HOLD_SECONDS on every host."""

import os

from pyinfra.operations import server

server.shell(name="Work for a while", commands=f"sleep {int(os.environ['HOLD_SECONDS'])}")
