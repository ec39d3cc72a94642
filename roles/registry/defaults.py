"""Settings of the image registry."""

registry_name: str = ""  # host:port in image names; the first ops host and registry_port if empty
registry_port: int = 5000  # the port for engines
registry_user: str = "nexus"  # user of its logins NAME_a and NAME_b, with which hosts pull and push
registry_directory: str = "/var/lib/docker-registry"  # directory of its storage; Debian's default
