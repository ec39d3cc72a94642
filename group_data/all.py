"""Settings of every environment. A file named like a group or an environment overrides them there."""

from roles.kit.transport import attentive as _attentive

ssh_paramiko_connect_kwargs = {"transport_factory": _attentive}
