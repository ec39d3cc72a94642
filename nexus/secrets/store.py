"""Secrets of one environment: an age-encrypted file, read once and written only if something changed.

Values are in memory during a run. They are never logged and never written in clear text. The file also
records when each value changed and who could read it, so that it is known which secrets a former reader has seen.
"""

import datetime as dt
import json
import secrets as random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyrage

from nexus.error import OperatorError
from nexus.secrets import identity as identities
from nexus.secrets import recipients
from nexus.workstation import write_whole

PASSWORD_BYTES = 24  # 32 url-safe characters, 192 bits
LOGINS = ("a", "b")  # two logins used in turn: a rotation changes the login that is not in use
FORMAT = 2  # format 1 was only the values
NEXT, PREVIOUS = "next", "previous"  # NAME/next is accepted already, NAME/previous still


class Secrets:
    """The secrets of an environment by name, such as "redis/auth-service"."""

    def __init__(self, path: Path, identity: Path, generate: bool = False) -> None:
        self.path, self.identity = path, identity
        self.generate = generate
        self.readers = recipients.read(recipients.recipients_file(path))  # {public key: name} of those who may read it
        self._sealed: bytes | None = None  # the file as it was read
        self._changed = self._replaced = False
        self._about: dict[str, Any] = {"changed": {}, "recipients": {}, "departed": [], "generation": 0, "turns": {}}
        self._values = self._read()

    def get(self, name: str, make: Callable[[], str] | None = None) -> str:
        """The secret of this name, created with `make` (a random password by default) on first use.

        Raises OperatorError if the environment does not allow new secrets during a run.
        """
        if name not in self._values:
            if not self.generate:
                raise OperatorError(
                    f'secret "{name}" is missing in {self.path}: add missing secrets with `make secrets`'
                )
            self.put(name, (make or password)())
        return self._values[name]

    def optional(self, name: str) -> str | None:
        """The secret of this name, or None; never creates it."""
        return self._values.get(name)

    def accepted(self, name: str) -> list[str]:
        """Every value that is accepted now: the value in use, and during a rotation a second one."""
        others = (self._values.get(f"{name}/{which}") for which in (NEXT, PREVIOUS))
        return list(dict.fromkeys([self.get(name), *filter(None, others)]))

    def names(self) -> list[str]:
        """Names of all secrets, sorted."""
        return sorted(self._values)

    def put(self, name: str, value: str | None) -> None:
        """Set a secret, or remove it with None; `save` writes it to the file."""
        if self._values.get(name) == value:
            return
        self._changed = True
        if value is None:
            self._values.pop(name)
            self._about["changed"].pop(name, None)
        else:
            self._values[name] = value
            self._about["changed"][name] = now()

    def replace(self, values: Mapping[str, str]) -> None:
        """Replace all secrets by these; an unchanged secret keeps the time of its last change."""
        self._replaced = True
        for name in self.names():
            if name not in values:
                self.put(name, None)
        for name, value in values.items():
            self.put(name, value)

    def changed_at(self, name: str) -> str:
        """When a secret got its value (ISO 8601, UTC); empty if that was never recorded."""
        return str(self._about["changed"].get(name, ""))

    def active(self, pair: str) -> str:
        """Which of the two logins "a" and "b" below this name is in use."""
        return str(self._about["turns"].get(pair, {}).get("active", LOGINS[0]))

    def step(self, name: str) -> str:
        """The last step of the rotation of a secret or pair; empty outside a rotation."""
        return str(self._about["turns"].get(name, {}).get("step", ""))

    def stepped_at(self, name: str) -> str:
        """When that step was taken."""
        return str(self._about["turns"].get(name, {}).get("at", ""))

    def take_step(self, name: str, step: str, active: str | None = None) -> None:
        """Record a step of a rotation, and which login is in use from now on."""
        turn = {"active": active or self.active(name), "step": step, "at": now()}
        self._about["turns"] = {**self._about["turns"], name: turn}
        self._changed = self._replaced = True

    @property
    def generation(self) -> int:
        """How often secrets were replaced: hosts know this number, and refuse an older file with a smaller one."""
        return int(self._about["generation"])

    @property
    def departed(self) -> list[dict[str, str]]:
        """Former recipients of the file: [{"key", "name", "at"}]."""
        return [dict(entry) for entry in self._about["departed"]]

    def recipient_changes(self) -> tuple[list[str], list[str]]:
        """Names of recipients for whom the file is not encrypted yet, and of former ones for whom it still is."""
        known: dict[str, str] = self._about["recipients"]
        wanted = self._wanted()
        added = [name for key, name in wanted.items() if key not in known]
        removed = [name for key, name in known.items() if key not in wanted]
        return added, removed

    @property
    def unsaved(self) -> bool:
        """Whether there are changes that are not in the file yet."""
        return self._changed

    def check_unchanged(self) -> None:
        """OperatorError if the file has changed since it was read: its secrets are out of date."""
        if _content(self.path) != self._sealed:
            raise OperatorError(
                f"{self.path} was changed while this run probed the hosts, so its plan is out of date: rerun it"
            )

    def save(self, readdress: bool = False) -> bool:
        """Write the file if anything changed, atomically and readable only by its owner. True if it was written.

        `readdress` also writes it if recipients have changed. OperatorError if someone else has written it
        in the meantime, or if the writer could not read it afterwards.
        """
        added, removed = self.recipient_changes() if self._changed or readdress else ([], [])
        if not self._changed and not added and not removed:
            return False
        wanted = self._wanted()
        known: dict[str, str] = self._about["recipients"]
        left = [{"key": key, "name": known[key], "at": now()} for key in known if key not in wanted]
        back = [entry for entry in self._about["departed"] if entry["key"] not in wanted]
        about = {**self._about, "recipients": wanted, "departed": [*back, *left]}
        about["generation"] = self.generation + self._replaced
        text = json.dumps({"format": FORMAT, **about, "values": self._values}, indent=1, sort_keys=True)
        self._write(pyrage.encrypt(text.encode(), [recipients.parse(key, str(self.path)) for key in wanted]))
        self._about, self._changed, self._replaced = about, False, False
        return True

    def _write(self, sealed: bytes) -> None:
        if _content(self.path) != self._sealed:
            raise OperatorError(
                f"{self.path} was written by someone else in the meantime; nothing from this run is in it. Rerun it"
            )
        write_whole(self.path, sealed, 0o600)
        self._sealed = sealed

    def _read(self) -> dict[str, str]:
        if not self.path.exists():
            if self.generate:
                if self.identity.exists():
                    identities.read(self.identity)  # this run will encrypt new secrets with it
                return {}
            raise OperatorError(
                f"{self.path} is missing: it holds the secrets of this environment. "
                "Create it with `make secrets`, or set secrets_file to its location"
            )
        try:
            self._sealed = self.path.read_bytes()
            found = json.loads(pyrage.decrypt(self._sealed, [self._identity()]))
        except pyrage.DecryptError as error:
            raise OperatorError(
                f"{self.path} cannot be decrypted with the key in {self.identity}: {error}. "
                "Set NEXUS_AGE_IDENTITY to the right key, or ask someone who can read the file to add the line "
                f"`{self._identity().to_public()} YOUR-NAME` to {recipients.recipients_file(self.path).name}"
            ) from None
        except OSError as error:
            raise OperatorError(f"{self.path} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise OperatorError(f"{self.path} contains no readable secrets: {error}") from None
        if isinstance(found, dict) and found.get("format") == FORMAT:
            self._about = {key: found.get(key, value) for key, value in self._about.items()}
            found = found.get("values")
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise OperatorError(f"{self.path} must contain one JSON object with secrets in quotes by name")
        return found

    def _identity(self) -> pyrage.x25519.Identity:
        if self.generate and not self.identity.exists():
            identities.make(self.identity)
        return identities.read(self.identity)

    def _wanted(self) -> dict[str, str]:
        """{public key: name} of all recipients for whom the file is to be encrypted."""
        own = str(self._identity().to_public())
        if self.readers and own not in self.readers:
            raise OperatorError(
                f"{recipients.recipients_file(self.path)} does not list your own key, so you could not read what you "
                f"write. Add the line `{own} YOUR-NAME`, or use a key that it lists (NEXUS_AGE_IDENTITY)"
            )
        return dict(self.readers) or {own: "the key of this machine"}


def now() -> str:
    """The current time in the file's format."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def password() -> str:
    """A new random password."""
    return random.token_urlsafe(PASSWORD_BYTES)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
