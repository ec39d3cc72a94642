"""Users of Elasticsearch, in its own files: they need no request, and no password of the vendor's is in force."""

import hashlib
import hmac
from base64 import b64encode

from nexus.environment.environment import Environment

ADMIN, KIBANA, FILEBEAT = "nexus-admin", "nexus-kibana", "nexus-filebeat"
SECRETS = {ADMIN: "elk/admin", KIBANA: "elk/kibana", FILEBEAT: "elk/filebeat"}
WRITER = "nexus_cos_writer"  # the role of Filebeat, defined below; the others are built in
ROLES = {"superuser": ADMIN, "kibana_system": KIBANA, WRITER: FILEBEAT}
ROUNDS = 10000  # Elasticsearch's own default for this kind of hash


def users(env: Environment) -> str:
    """The file `users`: a name and the hash of its password in each line."""
    return "".join(f"{user}:{password_hash(user, env.secret(name))}\n" for user, name in SECRETS.items())


def users_roles() -> str:
    """The file `users_roles`: a role and its user in each line."""
    return "".join(f"{role}:{user}\n" for role, user in ROLES.items())


def roles(pattern: str) -> dict[str, object]:
    """The content of `roles.yml`: Filebeat may add lines, and neither read nor change what is there."""
    writes = {"names": [pattern], "privileges": ["create_doc", "auto_configure"]}
    return {WRITER: {"cluster": ["monitor"], "indices": [writes]}}


def password_hash(user: str, password: str) -> str:
    """Elasticsearch's salted PBKDF2; the salt follows from the password, so equal passwords compare equal."""
    salt = hmac.digest(password.encode(), f"elk/{user}".encode(), "sha256")[:16]
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS, dklen=32)
    return f"{{PBKDF2}}{ROUNDS}${b64encode(salt).decode()}${b64encode(made).decode()}"
