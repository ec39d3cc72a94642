"""Statements at the primary as superuser, and the quoting of names and texts in them."""

from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import run

Item = Mapping[str, Any]


def psql(statements: list[str], context: Item, whole: bool = True, database: str = "postgres") -> str:
    """Output of statements, in one transaction unless `whole` is false; verifiers stay out of the log."""
    if not statements:
        return ""
    quiet = ["set log_min_duration_statement = -1", "set log_min_error_statement = panic"]
    where = f"host={context['address']} port={context['port']} user=postgres dbname={database} connect_timeout=10"
    tls = f"sslmode=verify-full sslrootcert={context['tls']['ca']}"
    argv = [f"{context['programs']}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", f"{where} {tls}", "-f", "-"]
    argv += ["--single-transaction"] if whole else []
    script = ";\n".join([*quiet, *statements]) + ";\n"
    return run(argv, input=script, timeout=120, env={"PGPASSWORD": context["password"]})


def identifier(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL takes it."""
    return "'" + text.replace("'", "''") + "'"
