"""Settings of every environment. A file named like a group or an environment overrides them there."""

from nexus.transport.keepalive import keepalive_transport as _keepalive_transport

ssh_paramiko_connect_kwargs = {"transport_factory": _keepalive_transport}
