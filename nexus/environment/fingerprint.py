"""The mark that replaces a secret in output: a hash that nobody can reverse without a key."""

import hashlib
import hmac

from nexus.environment.environment import Environment


def keyed_hash(env: Environment, content: str) -> str:
    """A hash that tells a secret from others, and from which nobody can guess the secret."""
    key = env.secret("service/fingerprint").encode()
    return hmac.new(key, content.encode(), hashlib.sha256).hexdigest()[:10]
