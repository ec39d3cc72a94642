"""What stands for a secret wherever it may be seen: a hash that nobody can turn back without a key."""

from __future__ import annotations

import hashlib
import hmac

from nexus.environment.environment import Environment


def keyed_hash(env: Environment, content: str) -> str:
    """What tells a secret from others, and from which nobody can guess it."""
    key = env.secret("service/fingerprint").encode()
    return hmac.new(key, content.encode(), hashlib.sha256).hexdigest()[:10]
