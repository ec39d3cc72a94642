"""Where the backup program and what it knows lie on hosts."""

LIBRARY = "/usr/local/lib/nexus-cos/python"
FOLDER = "/etc/nexus-cos/backup"
CONFIG, IDENTITY = f"{FOLDER}/config.json", f"{FOLDER}/age.key"
RECORDS = "/var/lib/nexus-cos/backup"  # what is known of the last backup of each kind
