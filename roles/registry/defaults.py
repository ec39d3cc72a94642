"""Settings of the image registry."""

from __future__ import annotations

registry_name: str = ""  # host:port in image names; the first ops host and registry_port if empty
registry_port: int = 5000
registry_user: str = "nexus"  # the one log-in, of the hosts that pull and of the one that pushes
registry_directory: str = "/var/lib/docker-registry"  # storage; Debian's own place for it
