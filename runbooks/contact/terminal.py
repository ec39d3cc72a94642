"""First contact as an operator starts it: questions on the terminal, the report on standard output."""

import sys

from nexus.cli.command import NO_SECRETS
from nexus.environment import inventory
from nexus.provider.ssh.host_key import Confirm
from runbooks.contact import first_contact


def contact(name: str) -> None:
    """Look at the hosts of an environment and print the report; OperatorError if one is refused."""
    for line in first_contact(inventory.load(name, NO_SECRETS), confirmation()):
        print(line, flush=True)


def confirmation() -> Confirm | None:
    """The question for a new host key; None without a terminal."""
    return _confirm if sys.stdin and sys.stdin.isatty() else None


def _confirm(host: str, words: str) -> bool:
    print(f"{host} shows the host key {words}.")
    print("Compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the console of the host.")
    answer = input("Is it the same? Type yes, or the fingerprint: ").strip()
    return answer in ("yes", words.split()[-1])
