"""Where an edge host has the public certificate that role acme keeps, which Nginx and the program here read."""

DIRECTORY = "/etc/nexus-cos/acme"
CURRENT = f"{DIRECTORY}/current"  # a link to a directory: all files in it change at one moment
CERTIFICATE, KEY = f"{CURRENT}/certificate.pem", f"{CURRENT}/key.pem"
