"""Settings of the image registry."""

registry_name: str = ""  # host:port in image names; the first ops host and registry_port if empty
registry_port: int = 5000
registry_user: str = "nexus"  # its two log-ins NAME_a and NAME_b serve the hosts that pull and the one that pushes
registry_directory: str = "/var/lib/docker-registry"  # storage; Debian's own place for it
