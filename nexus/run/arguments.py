"""Arguments of a deploy: what this run should do. They come only from `--data NAME=VALUE`.

A deploy declares its arguments at the top and passes their values to functions:

    given = arguments(to=Host("the host that becomes primary"), force=Flag("promote although writes may be lost"))
    failover(to=given.to, force=given.force)

The declaration is read before the deploy runs (nexus/cli/deploy_arguments.py), so it consists of kinds and literals.
An included deploy shares the values of arguments that the deploy on the command line also declares. Its other
arguments have their defaults. Plans see only one argument: `prune_data`, as `env.prune_data`.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from nexus.environment import deploy_declaration
from nexus.error import OperatorError
from nexus.run.argument_kinds import Argument, Choice, Flag, Host, Number, Service, Services, Since, Store, Word
from nexus.run.run import current_run, running

__all__ = ["Choice", "Flag", "Host", "Number", "Service", "Services", "Since", "Store", "Word", "arguments"]

KINDS = {kind.__name__: kind for kind in Argument.__subclasses__()}
EVERY_RUN: Mapping[str, Argument] = {
    "without": Word("hosts to leave out of this run, separated by commas"),
    "plan": Word("with --dry: file in which to write what the run would do, for a review"),
    "apply": Word("file with a reviewed plan, to be carried out if nothing has moved since"),
    "help": Flag("print this instead of a run"),
}


@dataclass(frozen=True)
class Declaration:
    """What a deploy declares: its arguments, and whether it is read-only."""

    arguments: Mapping[str, Argument] = field(default_factory=dict)
    read_only: bool = False


def arguments(*, read_only: bool = False, **declared: Argument) -> SimpleNamespace:
    """Declare the arguments of a deploy, and return their values in this run.

    `read_only`: the deploy changes nothing. It asks for no confirmation and continues with the hosts that answer.
    """
    needs = any(kind.needs_environment for kind in declared.values())
    given = current_run().given if needs else running().given
    values = {
        name: kind.read(name, given[name], lambda: current_run().environment) if name in given else kind.default
        for name, kind in declared.items()
    }
    return SimpleNamespace(**values)


@cache
def declared(path: Path) -> Declaration:
    """Return the declaration in the file of a deploy; OperatorError with file and line if it is not valid."""
    call = deploy_declaration.call(path)
    if call is None:
        return Declaration()
    names = {"__builtins__": {}, deploy_declaration.CALL: _declare, **KINDS}
    try:
        found: Declaration = eval(compile(ast.Expression(call), str(path), "eval"), names)
    except Exception:  # such as an unknown kind, or a value that exists only during a run
        raise OperatorError(
            f'{path}:{call.lineno}: arguments are declared as NAME=KIND("meaning", ...) with plain values; '
            f"kinds: {', '.join(KINDS)}"
        ) from None
    return found


def _declare(read_only: bool = False, **declared: Argument) -> Declaration:
    if not all(isinstance(kind, Argument) for kind in declared.values()):
        raise TypeError
    return Declaration(declared, read_only)
