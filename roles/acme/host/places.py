"""Where the role has its files: certificates on edge hosts, orders on ops hosts."""

import os

from roles.certificate.host.public import CERTIFICATE as SHOWN
from roles.certificate.host.public import KEY as SHOWN_KEY

# There is a directory for each certificate with these files, and a link that leads to one of them.
CERTIFICATE, KEY = os.path.basename(SHOWN), os.path.basename(SHOWN_KEY)
PUBLIC = "public.conf"  # of a map of Nginx: whether the certificate is a public one
AUTHORITY = "authority"  # the directory of the authority that issued it
INTERNAL = "internal"  # the host's own leaf, until there is a public certificate
EDGE_CONFIG = "/etc/nexus-cos/acme-edge.json"

STATE = "/var/lib/nexus-acme"
RECORD = f"{STATE}/record.json"
CONFIG = "/etc/nexus-cos/acme.json"
LIBRARY = "/usr/local/lib/nexus-cos/acme"
PROGRAM = "roles.acme.host.renewer.main"
