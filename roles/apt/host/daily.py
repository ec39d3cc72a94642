"""Runs on a host: updates that wait, and why a reboot is due. Changes nothing."""

from roles.apt.host.pending import waiting

PARTS = {"updates": lambda _: waiting()}
