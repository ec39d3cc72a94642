"""`python -m runbooks.catalogue [ENV]`: the catalogue as a table, its totals, and what does not fit.

With an environment, sizes follow from its settings and are compared with the figures of its hosts where the
inventory states them. Exit status 1 when the catalogue is invalid or something does not fit.
"""

import sys

from nexus.catalogue.catalogue import load
from nexus.catalogue.errors import CatalogueError
from nexus.catalogue.size import Scale
from nexus.catalogue.table import table, totals
from nexus.cli.command import NO_SECRETS

USAGE = "usage: python -m runbooks.catalogue [ENV]   (ENV is a file inventory/ENV.py)"


def main(arguments: list[str]) -> int:
    """Print the catalogue, for an environment if one is named; return the exit status."""
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        return _environment(arguments[0]) if arguments else _whole()
    except CatalogueError as error:
        print(error, file=sys.stderr)
        return 1


def _whole() -> int:
    catalogue, scale = load(), Scale.of({})
    print(*table(catalogue, scale), "", *totals(catalogue, scale), sep="\n")
    return 0


def _environment(name: str) -> int:
    from pyinfra.api.state import State
    from pyinfra.context import ctx_state

    from nexus.environment import inventory
    from nexus.error import OperatorError
    from roles.service import capacity

    load()  # a broken catalogue is reported before anything about the environment
    try:
        with ctx_state.use(State()):  # pyinfra stores in it which inventory file it reads
            env = inventory.load(name, NO_SECRETS)
    except OperatorError as error:
        print(error, file=sys.stderr)
        return 1
    report = capacity.of_environment(env)
    # if the settings are wrong, the sizes that follow from them are wrong too
    if not report.errors or report.asked.replicas:
        scale = Scale.of(env.setting)
        print(*table(env.catalogue, scale), "", *totals(env.catalogue, scale), sep="\n")
    if report.available != capacity.NOTHING:
        print(f"app hosts, without the system's share: {report.available}")
    print(*report.findings, sep="\n")
    return 1 if report.errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
