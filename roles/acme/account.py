"""The account at authorities: its key, and the thumbprint by which Nginx answers every challenge of that account."""

import base64
import hashlib
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nexus.environment.environment import Environment
from nexus.error import OperatorError

SECRET = "acme/account-key"
SIZE = 32  # bytes of a coordinate


def key(env: Environment) -> str:
    """The account's key, PEM; it is made at the first use."""
    return env.secrets.get(SECRET, _new)


def thumbprint(env: Environment) -> str:
    """The thumbprint of the account's key (RFC 7638), which everybody may know."""
    try:
        loaded = serialization.load_pem_private_key(key(env).encode(), password=None)
    except ValueError:
        loaded = None
    if not isinstance(loaded, ec.EllipticCurvePrivateKey) or not isinstance(loaded.curve, ec.SECP256R1):
        raise OperatorError(
            f"the secret {SECRET} is not an ECDSA P-256 key in PEM: remove it, and `make secrets` makes another account"
        )
    numbers = loaded.public_key().public_numbers()
    values = {"crv": "P-256", "kty": "EC", "x": _base64(numbers.x), "y": _base64(numbers.y)}
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return _encoded(hashlib.sha256(text.encode()).digest())


def _new() -> str:
    made = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    return made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _base64(number: int) -> str:
    return _encoded(number.to_bytes(SIZE, "big"))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
