"""What the tables of a database hold: rows, and a sum over them that any change of one changes."""

import time
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError
from roles.postgresql.host.backup_session import Session

Tables = dict[str, dict[str, Any]]
LOCK_ATTEMPTS = 5
LOCK_SECONDS = 2
DATABASES = (
    "select datname from pg_database where not datistemplate and datallowconn and datname <> 'postgres' order by 1"
)
TABLES = (
    "select format('%I.%I', n.nspname, c.relname), greatest(c.reltuples, 0)::bigint from pg_class c "
    "join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname <> 'information_schema' "
    "and n.nspname not like 'pg\\_%' order by 1"
)


def tables(session: Session) -> dict[str, int]:
    """Tables of a database, quoted as SQL takes them, with about how many rows each has."""
    return {line.rsplit("|", 1)[0]: int(line.rsplit("|", 1)[1]) for line in session(TABLES)}


def count(session: Session, sizes: Mapping[str, int], most: int) -> Tables:
    """Rows of each table, and the sum of their digests where there are not more than `most`."""
    found: Tables = {}
    for table, size in sizes.items():
        summed = "coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0)"
        (line,) = session(f"select count(*), {summed if size <= most else 'null'} from only {table} t")
        rows, _, checksum = line.partition("|")
        found[table] = {"rows": int(rows), "checksum": checksum}
    return found


def at_point(directory: str, port: int, database: str, point: str, most: int) -> tuple[Tables, bool]:
    """What a database holds at a named point of the log, and whether it is exactly that.

    Nobody may write while the point is set, or what is counted and what is restored to that point differ: so
    the tables are locked against writing for the moment it takes. A busy database that does not let us in
    within a few attempts is counted all the same, and not exactly.
    """
    with Session(directory, port, database) as counting:
        sizes = tables(counting)
        exact = _freeze(directory, port, database, counting, sizes, point)
        return count(counting, sizes, most), exact


def _freeze(directory: str, port: int, database: str, counting: Session, sizes: Mapping[str, int], point: str) -> bool:
    for attempt in range(LOCK_ATTEMPTS):
        time.sleep(attempt)
        with Session(directory, port, database) as locking:
            try:
                locking(f"begin; set local lock_timeout = '{LOCK_SECONDS}s'")
                if sizes:
                    locking(f"lock table {', '.join(f'only {table}' for table in sizes)} in share mode")
            except RemoteError:
                continue
            _begin(counting, point)
            locking("rollback")
            return True
    _begin(counting, point)
    return False


def _begin(counting: Session, point: str) -> None:
    counting("begin isolation level repeatable read")
    counting("select 1 from pg_class limit 1")  # from here on it sees what there is now
    counting(f"select pg_create_restore_point('{point}')")
