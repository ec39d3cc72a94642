"""Settings of every environment. A file named like a group or an environment overrides them there."""

from roles.kit.transport import no_delay as _no_delay

ssh_paramiko_connect_kwargs = {"transport_factory": _no_delay}
