"""SCRAM-SHA-256 verifiers, so that no password travels to the server.

The salt is derived from the password, so comparing salts tells a right password from a wrong one, and the
slow part runs only for logins that are about to be written.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode

ITERATIONS = 4096  # PostgreSQL's default (scram_iterations); the passwords are 192 random bits
SALT_BYTES = 16


def salt(user: str, password: str) -> str:
    """The salt of this user's verifier, base64 as PostgreSQL stores it."""
    return b64encode(_salt(user, password)).decode()


def verifier(user: str, password: str) -> str:
    """What ALTER ROLE ... PASSWORD takes in place of the password."""
    stored, server = keys(password, _salt(user, password))
    return f"SCRAM-SHA-256${ITERATIONS}:{salt(user, password)}${stored}:{server}"


def matches(verifier: str, password: str) -> bool:
    """Whether a verifier, with whatever salt and cost, is this password's."""
    try:
        kind, cost, rest = verifier.split("$")
        iterations, salted = cost.split(":")
        stored, _ = keys(password, b64decode(salted), int(iterations))
    except ValueError:
        return False
    return kind == "SCRAM-SHA-256" and hmac.compare_digest(stored, rest.split(":")[0])


def keys(password: str, salt: bytes, iterations: int = ITERATIONS) -> tuple[str, str]:
    """StoredKey and ServerKey of RFC 5802, base64."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    return b64encode(stored).decode(), b64encode(_hmac(salted, b"Server Key")).decode()


def _salt(user: str, password: str) -> bytes:
    return _hmac(password.encode(), f"postgresql/{user}".encode())[:SALT_BYTES]


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
