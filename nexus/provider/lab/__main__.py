"""The lab from the command line: `python -m nexus.provider.lab up|down|status [ENV]`, `poweroff|start|kill HOST`."""

import argparse
import os
import shutil
import sys
import time

from nexus.error import OperatorError
from nexus.provider.lab import LabEnvironment, LabError, down, down_all, load, up
from nexus.provider.lab.host import Host
from nexus.provider.lab.machine import say
from nexus.provider.lab.status import table

KEPT = "NEXUS_ENV,NEXUS_LAB_DIRECTORY,http_proxy,https_proxy,HTTP_PROXY,HTTPS_PROXY"
WHOLE = {
    "up": "create and start the hosts of an environment",
    "down": "stop and remove them; without ENV: those of every environment, and the lab's network",
    "status": "show the hosts",
}
SINGLE = {"poweroff": "shut one host down cleanly", "start": "boot one host", "kill": "stop one host at once"}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns 0 on success."""
    words = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(words)
    if os.geteuid() and options.command != "status" and shutil.which("sudo"):
        os.execvp("sudo", ["sudo", f"--preserve-env={KEPT}", sys.executable, "-B", "-m", "nexus.provider.lab", *words])
    try:
        _run(options)
    except OperatorError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: INCOMPLETE, stopped by SIGINT (Ctrl-C): rerun the same command to finish", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nexus.provider.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    environment = "name, or path of an inventory file (default: NEXUS_ENV)"
    for name, text in WHOLE.items():
        commands.add_parser(name, help=text).add_argument("environment", nargs="?", help=environment)
    down = commands.choices["down"]
    down.add_argument("--all", action="store_true", help="delete the cached base system too")
    down.add_argument("--force", action="store_true", help="even if another checkout owns the hosts")
    for name, text in SINGLE.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("host")
        command.add_argument("--environment", help=environment)
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
            raise LabError(f"{host.name} does not exist yet: run `python -m nexus.provider.lab up {environment.name}`")
        if options.command == "start" and not host.running():
            host.start()
        elif options.command == "poweroff":
            host.poweroff()
        elif options.command == "kill":
            host.kill()


def _up(environment: LabEnvironment) -> None:
    began = time.monotonic()
    changed = up(environment)
    how = f"up in {time.monotonic() - began:.0f} s" if changed else "already up"
    say(f"{environment.name}: {len(environment.hosts)} hosts {how}")


if __name__ == "__main__":
    sys.exit(main())
