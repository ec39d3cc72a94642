"""What an operator wants of a new environment: arguments of the command, or answers on the terminal."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from nexus.catalogue.size import GIB
from nexus.error import OperatorError, nearest, split
from roles.table import ROLES
from runbooks.environment import layout

PROVIDERS = {"ssh": "hosts that exist", "lab": "hosts on this machine", "aws": "hosts in an account of AWS"}
NAME = re.compile(r"[a-z][a-z0-9_]*")
HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
DOMAIN = re.compile(r"(?=.{1,200}$)[a-z0-9-]+(?:\.[a-z0-9-]+)+")
SIZE = re.compile(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)")
TAKEN = frozenset({"all", "one_machine", "keys", "catalogue", "secrets"})
# argument -> what is asked on a terminal; those without a question are optional
ARGUMENTS = {
    "provider": f"Provider ({', '.join(f'{name}: {what}' for name, what in PROVIDERS.items())})",
    "domain": "Domain of the platform, such as nexus.example.org",
    "hosts": "Hosts, as NAME=ADDRESS,... or ADDRESS,... or, for lab and aws, their number",
    "sizes": "",
    "ssh_user": "",
    "ssh_key": "",
    "ssh_config": "",
    "sudo_password": "",
    "mongodb": "",
    "fingerprints": "",
}


@dataclass(frozen=True)
class Size:
    """What one host has."""

    cpus: float
    memory_bytes: int


@dataclass(frozen=True)
class Given:
    """A host as it was given. `place` is what ssh is told, `address` what other hosts use; empty: not known."""

    name: str = ""
    place: str = ""
    address: str = ""


@dataclass(frozen=True)
class Wanted:
    """A new environment."""

    name: str
    provider: str
    domain: str
    hosts: tuple[Given, ...]
    sizes: Mapping[str, Size] = field(default_factory=dict)  # by tier; "" for all others
    ssh_user: str = ""
    ssh_key: str = ""
    ssh_config: str = ""
    sudo_password: bool = False
    mongodb: bool = False
    fingerprints: tuple[str, ...] = ()  # of host keys, confirmed elsewhere
    words: Mapping[str, str] = field(default_factory=dict)  # the arguments as given


def read(name: str, words: Mapping[str, str], ask: Callable[[str], str] | None, keys: Path) -> Wanted:
    """The environment of these arguments; `ask` asks for one that is needed and was not given.

    `keys` has the keys of vendors. OperatorError names what is missing or wrong.
    """
    if unknown := [word for word in words if word not in ARGUMENTS]:
        raise OperatorError(f'unknown argument "{unknown[0]}"{nearest(unknown[0], ARGUMENTS)}; {_known()}')
    words = {key: value.strip() for key, value in words.items() if value.strip()}
    check_name(name)
    needed = {key: words.get(key) or _asked(key, question, ask) for key, question in ARGUMENTS.items() if question}
    if needed["provider"] not in PROVIDERS:
        raise OperatorError(f'provider "{needed["provider"]}" is not supported; known: {", ".join(PROVIDERS)}')
    if not DOMAIN.fullmatch(needed["domain"]):
        raise OperatorError(f'domain "{needed["domain"]}" is not a domain such as nexus.example.org')
    for key in ("mongodb", "sudo_password"):
        if words.get(key, "no") not in ("yes", "no"):
            raise OperatorError(f"{key}={words[key]}: write yes or no")
    mongodb = words["mongodb"] == "yes" if "mongodb" in words else (keys / "mongodb.asc").is_file()
    hosts = _hosts(needed["hosts"], needed["provider"])
    found = _sizes(words.get("sizes", ""))
    if needed["provider"] == "aws" and not found:
        raise OperatorError("sizes are needed for aws, as SIZES=4x16 (cores x GiB) or SIZES=app=16x64,data=8x32,4x8")
    return Wanted(
        name,
        needed["provider"],
        needed["domain"],
        hosts,
        found,
        ssh_user=words.get("ssh_user", ""),
        ssh_key=words.get("ssh_key", ""),
        ssh_config=words.get("ssh_config", ""),
        sudo_password=words.get("sudo_password") == "yes",
        mongodb=mongodb,
        fingerprints=tuple(split(words.get("fingerprints", ""))),
        words=words | needed,
    )


def check_name(name: str) -> None:
    """OperatorError unless files of an environment can have this name."""
    if not NAME.fullmatch(name):
        raise OperatorError(f'"{name}" cannot be an environment: its name has lower-case letters, digits and _')
    if name in ROLES.groups | TAKEN:
        raise OperatorError(f'"{name}" cannot be an environment: group_data/{name}.py would be settings of a group')


def _known() -> str:
    return f"known: {', '.join(ARGUMENTS)}"


def _asked(key: str, question: str, ask: Callable[[str], str] | None) -> str:
    answer = ask(question).strip() if ask else ""
    if not answer:
        raise OperatorError(f"{key} is missing: make environment NEXUS_ENV=... {key.upper()}=...; {question}")
    return answer


def _hosts(text: str, provider: str) -> tuple[Given, ...]:
    if text.isdigit() and provider != "ssh":
        if not 1 <= int(text) <= 100:
            raise OperatorError(f"hosts={text}: give a number from 1 to 100, or names")
        return tuple(Given(name) for name in layout.names(int(text)))
    return tuple(_host(word, provider) for word in split(text))


def _host(word: str, provider: str) -> Given:
    name, equals, place = word.rpartition("=")
    if provider != "ssh" and not equals:
        name, place = word, ""
    place, _, address = place.partition("/")
    if (name and not HOST.fullmatch(name)) or (equals and not name) or (provider == "ssh" and not place):
        raise OperatorError(
            f'host "{word}": write NAME=ADDRESS, or NAME=SSH-NAME/ADDRESS, with a name of a-z, 0-9, . and -'
        )
    if address and not _is_address(address):
        raise OperatorError(f'host "{word}": "{address}" is not an IP address')
    return Given(name, place, address or (place if _is_address(place) else ""))


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _sizes(text: str) -> dict[str, Size]:
    found = {}
    for word in split(text):
        tier, _, size = word.rpartition("=")
        match = SIZE.fullmatch(size)
        if not match or (tier and tier not in layout.TIERS):
            raise OperatorError(
                f'size "{word}": write CORESxGIB, such as 4x16, or TIER=CORESxGIB; {", ".join(layout.TIERS)}'
            )
        found[tier] = Size(float(match[1]), int(float(match[2]) * GIB))
    return found
