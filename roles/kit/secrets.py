"""Secrets of one environment: an age-encrypted file, read once, written only when something was added.

Values live in memory during a run. They are never logged and never written in the clear.
"""

from __future__ import annotations

import json
import os
import secrets as random
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pyrage

from roles.kit.error import OperatorError

PASSWORD_BYTES = 24  # 32 url-safe characters, 192 bits


class Secrets:
    """The secrets of an environment by name, such as "redis/auth-service"."""

    def __init__(self, path: Path, identity: Path, recipients: Iterable[str] = (), generate: bool = False):
        self.path, self.identity = path, identity
        self.recipients = tuple(recipients)
        self.generate = generate
        self._new = False
        self._public = [_recipient(text) for text in self.recipients]
        self._seen = self._look()
        self._values = self._read()

    def get(self, name: str, make: Callable[[], str] | None = None) -> str:
        """The secret of this name; made with `make` (a random password by default) on first use.

        Raises OperatorError where the environment does not allow new secrets during a run.
        """
        if name not in self._values:
            if not self.generate:
                raise OperatorError(
                    f'secret "{name}" is missing in {self.path}: add what is missing with `make secrets`'
                )
            self._values[name] = (make or _password)()
            self._new = True
        return self._values[name]

    def optional(self, name: str) -> str | None:
        """The secret of this name, or None; never makes one."""
        return self._values.get(name)

    def names(self) -> list[str]:
        """Names of all secrets, sorted."""
        return sorted(self._values)

    @property
    def unsaved(self) -> bool:
        """Whether any was made and is not in the file yet."""
        return self._new

    def save(self) -> bool:
        """Write the file if anything was added; atomic, readable by its owner alone. True when written."""
        if not self._new:
            return False
        text = json.dumps(self._values, indent=1, sort_keys=True).encode()
        sealed = pyrage.encrypt(text, self._recipients())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(sealed)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, self.path)
        except BaseException:
            os.unlink(name)
            raise
        self._new, self._seen = False, self._look()
        return True

    def check_unchanged(self) -> None:
        """Refuse to go on with what was read once the file holds something else: OperatorError."""
        if self._look() != self._seen:
            raise OperatorError(
                f"{self.path} was changed while this run looked at the hosts; what it planned is no longer what "
                "should be: run it again"
            )

    def _look(self) -> tuple[int, int] | None:
        try:
            about = self.path.stat()
        except OSError:
            return None
        return about.st_ino, about.st_mtime_ns

    def _read(self) -> dict[str, str]:
        if not self.path.exists():
            if self.generate:
                if self.identity.exists():
                    self._identity()  # what is made in this run will be kept with it
                return {}
            raise OperatorError(
                f"{self.path} is missing: it holds the secrets of this environment. "
                "Make it with `make secrets`, or set secrets_file to where it lies"
            )
        try:
            clear = pyrage.decrypt(self.path.read_bytes(), [self._identity()])
            values = json.loads(clear)
        except pyrage.DecryptError as error:
            raise OperatorError(
                f"{self.path} cannot be decrypted with the key in {self.identity}: {error}. "
                "Name the right key in NEXUS_AGE_IDENTITY, or ask a holder of one to add yours as a recipient"
            ) from None
        except OSError as error:
            raise OperatorError(f"{self.path} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise OperatorError(f"{self.path} holds no secrets that can be read: {error}") from None
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise OperatorError(f"{self.path} must hold one JSON object, secrets in quotes by their names")
        return values

    def _identity(self) -> pyrage.x25519.Identity:
        if not self.identity.exists():
            if not self.generate:
                raise OperatorError(
                    f"the age key {self.identity} is missing: set NEXUS_AGE_IDENTITY to the file with your key"
                )
            self.identity.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.identity, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as stream:
                stream.write(f"{pyrage.x25519.Identity.generate()}\n")
        try:
            text = self.identity.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise OperatorError(f"the age key {self.identity} cannot be read: {error}") from None
        lines = [line for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")]
        if len(lines) != 1:
            raise OperatorError(f"{self.identity} must hold one line that begins with AGE-SECRET-KEY-")
        try:
            return pyrage.x25519.Identity.from_str(lines[0].strip())
        except pyrage.IdentityError as error:
            raise OperatorError(f"{self.identity} holds no valid age key: {error}") from None

    def _recipients(self) -> list[pyrage.x25519.Recipient]:
        keys = [self._identity().to_public()]
        return keys + [key for key in self._public if str(key) not in map(str, keys)]


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise OperatorError(f'secrets_recipients: "{text}" is no age public key: {error}') from None


def _password() -> str:
    return random.token_urlsafe(PASSWORD_BYTES)
