"""The lab from the command line: `python -m roles.lab up|down|status [ENV]`, `poweroff|start|kill HOST`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time

from roles.lab import LabEnvironment, LabError, down, down_all, load, up
from roles.lab.host import Host
from roles.lab.machine import say
from roles.lab.status import table

KEPT = "NEXUS_ENV,NEXUS_LAB_DIRECTORY,http_proxy,https_proxy,HTTP_PROXY,HTTPS_PROXY"


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 when what it names is so."""
    words = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(words)
    if os.geteuid() and options.command != "status" and shutil.which("sudo"):
        os.execvp("sudo", ["sudo", f"--preserve-env={KEPT}", sys.executable, "-m", "roles.lab", *words])
    try:
        _run(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m roles.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {
        "up": "make and start the hosts of an environment",
        "down": "stop and remove them; without ENV: every environment's, and the lab's network",
        "status": "show the hosts",
    }.items():
        command = commands.add_parser(name, help=text)
        command.add_argument(
            "environment", nargs="?", help="name, or path of an inventory file (default: NEXUS_ENV)"
        )
        if name == "down":
            command.add_argument("--all", action="store_true", help="delete the cached base system too")
            command.add_argument(
                "--force", action="store_true", help="even if another checkout owns the hosts"
            )
    for name, text in {
        "poweroff": "shut one host down in order",
        "start": "boot one host",
        "kill": "end one host at once",
    }.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("host")
        command.add_argument("--environment", help="name, or path of an inventory file (default: NEXUS_ENV)")
    return parser


def _run(options: argparse.Namespace) -> None:
    environment = load(options.environment)
    if environment.provider != "lab" and options.command != "down":
        raise LabError(f'{environment.name} is not a lab: its setting provider is "{environment.provider}"')
    if options.command == "up":
        _up(environment)
    elif options.command == "down" and options.environment and not options.all:
        down(environment, options.force)
    elif options.command == "down":
        down_all(environment, options.force, options.all)
    elif options.command == "status":
        print(table(environment))
    else:
        host = Host(environment, environment.host(options.host))
        if not host.spec():
            raise LabError(f"{host.name} does not exist yet: run `python -m roles.lab up {environment.name}`")
        if options.command == "start" and not host.running():
            host.start()
        elif options.command == "poweroff":
            host.poweroff()
        elif options.command == "kill":
            host.kill()


def _up(environment: LabEnvironment) -> None:
    began = time.monotonic()
    changed = up(environment)
    how = f"up in {time.monotonic() - began:.0f} s" if changed else "all up already"
    say(f"{environment.name}: {len(environment.hosts)} hosts {how}")


if __name__ == "__main__":
    sys.exit(main())
