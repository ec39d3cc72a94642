"""What OpenSSH's configuration says about the way to a host, as OpenSSH itself reads it: `ssh -G HOST` resolves
Include, Match, tokens and canonical names as `ssh HOST` does, and its errors name file and line.

`ssh_config_file` in the inventory names a file that replaces the user's and the system's; with "none", no file is read
and ssh is not asked.
"""

import os
import pwd
import re
import shlex
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from nexus.error import OperatorError
from nexus.workstation import own_name

NONE = "none"
SYSTEM = Path("/etc/ssh/ssh_config")
SECONDS = 20  # for a `Match exec` and for canonical names
DEFAULT_KEY = re.compile(r"~/\.ssh/id_\w+")
TOKEN = re.compile(r"%(.)")


@dataclass(frozen=True)
class Target:
    """How a host is reached. Values that the configuration does not set are empty."""

    hostname: str
    port: int = 0
    user: str = ""
    name: str = ""  # as given
    alias: str = ""  # the name of its key in known_hosts
    keys: tuple[str, ...] = ()
    certificate: str = ""
    known_hosts: tuple[str, ...] = ()
    strict: bool = False
    only_these_keys: bool = False
    forward_agent: bool = False
    agent: str = ""  # socket of the agent
    jumps: tuple[str, ...] = ()
    command: str = ""  # carries the connection; tokens are replaced
    options: tuple[str, ...] = ()  # with which another ssh reads the same file

    @property
    def indirect(self) -> bool:
        """Whether no socket of this process leads to the host."""
        return bool(self.jumps or self.command)


def target(name: str, file: str | None = None, user: str = "", port: int = 0) -> Target:
    """How a host is reached; user and port of the inventory have precedence. OperatorError if ssh cannot tell."""
    if not (options := _options(file)) and (file == NONE or not SYSTEM.is_file()):
        return Target(name, port, user, name)
    words = [*options, *(["-l", user] if user else []), *(["-p", str(port)] if port else []), "--", name]
    return replace(_read(name, _asked(tuple(words))), options=options)


def _options(file: str | None) -> tuple[str, ...]:
    """Options with which every ssh reads the same file. OpenSSH uses the home directory of the user database, not HOME,
    in which keys and known hosts are searched here.
    """
    if file == NONE:
        return ()
    own = Path(os.path.expanduser(file or "~/.ssh/config"))
    if file and not own.is_file():
        raise OperatorError(f'ssh_config_file = "{file}" does not exist; "{NONE}" reads no file')
    try:
        if not own.is_file():
            return ()
        with own.open("rb"):
            pass
    except OSError as error:
        raise OperatorError(f"{own} cannot be read ({error.strerror}), so the way to hosts is unknown") from None
    if file or not _at_home(own):
        return ("-F", str(own))
    return ()


def _at_home(own: Path) -> bool:
    with suppress(KeyError, OSError):
        return own.samefile(Path(pwd.getpwuid(os.getuid()).pw_dir, ".ssh/config"))
    return False


@cache
def _asked(words: tuple[str, ...]) -> Mapping[str, list[str]]:
    """The answer of `ssh -G`: {key in lower case: values}."""
    if not (program := shutil.which("ssh")):
        raise OperatorError(
            "only OpenSSH's client can read its configuration, and ssh is not installed here: apt-get install "
            f'openssh-client, or set ssh_config_file = "{NONE}" in the inventory'
        )
    try:
        done = subprocess.run(
            [program, "-T", "-G", *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise OperatorError(f"ssh -G {shlex.join(words)} did not answer within {SECONDS} s") from None
    if done.returncode:
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if "terminating," not in line]
        raise OperatorError(f"ssh's configuration: {'; '.join(said) or f'ssh -G {shlex.join(words)} failed'}")
    found: dict[str, list[str]] = defaultdict(list)
    for line in os.fsdecode(done.stdout).splitlines():
        key, _, value = line.partition(" ")
        found[key.lower()].append(value)
    return dict(found)


def _read(name: str, found: Mapping[str, list[str]]) -> Target:
    """The target from ssh's answer."""

    def value(key: str) -> str:
        text = found.get(key, [""])[0]
        return "" if text.lower() == NONE else text

    tokens = {
        "%": "%", "h": value("hostname") or name, "n": name, "p": value("port") or "22", "r": value("user"),
        "d": os.path.expanduser("~"), "u": own_name(), "i": str(os.getuid()),
    }  # fmt: skip
    if value("proxycommand") and value("proxyusefdpass") == "yes":
        raise OperatorError(f"ssh's configuration: {name} has ProxyUseFdpass, which only ssh itself can use")
    given = found.get("identityfile", [])
    keys = (
        [] if len(given) > 3 and all(map(DEFAULT_KEY.fullmatch, given)) else given
    )  # ssh's defaults: as if no key was named
    return Target(
        hostname=tokens["h"],
        port=int(tokens["p"]),
        user=tokens["r"],
        name=name,
        alias=value("hostkeyalias"),
        keys=tuple(path for key in keys if (path := expanded(key, tokens)) and Path(path).is_file()),
        certificate=expanded(value("certificatefile"), tokens),
        known_hosts=_existing(value("userknownhostsfile"), value("globalknownhostsfile")),
        strict=value("stricthostkeychecking") in ("true", "yes"),
        only_these_keys=value("identitiesonly") == "yes",
        forward_agent=value("forwardagent") == "yes",
        agent=_agent(value("identityagent"), tokens),
        jumps=tuple(filter(None, expanded(value("proxyjump"), tokens, "%hnpr", home=False).split(","))),
        command=expanded(value("proxycommand"), tokens, "%hnpr", home=False),
    )


def expanded(text: str, tokens: Mapping[str, str], known: str = "", home: bool = True) -> str:
    """Text with its tokens replaced; OperatorError names a token that ssh does not know there."""

    def put(found: re.Match[str]) -> str:
        if (letter := found[1]) not in (known or tokens) or letter not in tokens:
            raise OperatorError(f'ssh\'s configuration: "{text}" has %{letter}, which ssh does not know there')
        return tokens[letter]

    text = TOKEN.sub(put, text)
    return os.path.expanduser(text) if home else text


def _existing(user: str, system: str) -> tuple[str, ...]:
    """Known-hosts files that exist, and the user's first one, to which new keys are written."""
    own = [os.path.expanduser(path) for path in user.split()]
    return tuple(path for path in [*own, *system.split()] if path in own[:1] or Path(path).is_file())


def _agent(text: str, tokens: Mapping[str, str]) -> str:
    """The socket that an IdentityAgent names, possibly by a variable."""
    if text.startswith("$"):
        return os.environ.get(text.strip("${}"), "")
    return "" if text == "SSH_AUTH_SOCK" else expanded(text, tokens)
