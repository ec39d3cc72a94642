"""Restore one service's database while all others continue. The host's server is the primary."""

import os
import subprocess

from nexus.agent.lib import RemoteError, account, run
from roles.backup.host.vault import Config, Vault
from roles.backup.host.vault import scratch as room
from roles.postgresql.host import backup_contents as contents
from roles.postgresql.host.backup_cluster import target
from roles.postgresql.host.backup_log import flush_commit
from roles.postgresql.host.backup_scratch import PORT, scratch
from roles.postgresql.host.backup_session import Session, psql

SECONDS = 4 * 3600
ROOM_BYTES = 2e9  # for the log that is replayed
SETTINGS = """
select format('alter database %I set %s = %L', '{into}', split_part(c, '=', 1), split_part(c, '=', 2))
from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) c
where d.datname = '{name}' and s.setrole = 0 and c like 'nexus\\_cos.%'"""  # ours: what is on record of it
WHOLE = "restored as of "  # begins the comment of a copy that is whole


def copy(config: Config, name: str, owner: str, to: str, into: str) -> None:
    """Restore the database as of a moment under another name, next to the existing one.

    A copy of the server replays the log next to it, with the files of this database alone.
    """
    flush_commit(config)
    _make_way(config, into)
    size = int(psql(config, "postgres", "select max(pg_database_size(oid)) from pg_database")[0])
    with scratch(config, "database", 3 * size + ROOM_BYTES) as found:
        found.restore([*target(to), f"--db-include={name}"])
        found.start()
        found.wait_promoted()
        dump = f"{found.socket}/dump"
        argv = [*_tool(config, "pg_dump", {"socket": found.socket, "port": PORT}), "-Fc", "-f", dump, name]
        run(argv, user="postgres", timeout=SECONDS)
        with Session(found.socket, PORT, "postgres") as session:
            settings = session(SETTINGS.format(name=name, into=into))  # which a dump leaves out
        found.stop()
        psql(config, "postgres", f'create database "{into}" owner "{owner}"')
        psql(config, "postgres", f'revoke all on database "{into}" from public')
        whole = ["--exit-on-error", "--single-transaction", "-d", into, dump]
        run([*_tool(config, "pg_restore"), *whole], user="postgres", timeout=SECONDS)
        for statement in settings:
            psql(config, "postgres", statement)
    with Session.here(config, into) as session:
        held = contents.count(session, contents.tables(session), 0)
        session(f"comment on database \"{into}\" is '{WHOLE}{to}'")
    rows = sum(table["rows"] for table in held.values())
    print(f"database {into}: {len(held)} tables, {rows} rows, as {name} was at {to}")


def _make_way(config: Config, into: str) -> None:
    """Take away what a restore that was cut short left; RemoteError for what is whole."""
    asked = f"select shobj_description(oid, 'pg_database') from pg_database where datname = '{into}'"
    there = psql(config, "postgres", asked)
    if there and there[0].startswith(WHOLE):
        raise RemoteError(
            f"there is a database {into} already, {there[0]}: look at it, and drop it (dropdb {into}) before another"
        )
    if there:
        psql(config, "postgres", f'drop database "{into}" with (force)')


def save(config: Config, name: str) -> None:
    """The database as it is now, encrypted into the bucket, before anything takes its place."""
    # Which a restore that was cut short may have closed.
    psql(config, "postgres", f'alter database "{name}" with allow_connections true')
    with room() as directory:
        path = f"{directory}/dump"
        _into([*_tool(config, "pg_dump"), "-Fc", name], path)
        saved = Vault(config).save("safety", f"{name}.dump", path)
    print(f"saved {name} as it is now: {saved['label']}, {saved['bytes']} bytes")


def swap(config: Config, name: str, copy: str, aside: str, service: str) -> None:
    """Give the copy the name, and the database that had it another; both stay. Log-ins come back by themselves."""
    with Session.here(config) as session:
        if session(f"select 1 from pg_database where datname = '{name}'"):
            session(f'alter database "{name}" with allow_connections false')
            session(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
        session("begin")
        if session(f"select 1 from pg_database where datname = '{name}'"):
            session(f'comment on database "{name}" is null')
            session(f'alter database "{name}" rename to "{aside}"')
        session(f"comment on database \"{copy}\" is 'nexus-cos: {service}'")
        session(f'alter database "{copy}" rename to "{name}"')
        session("commit")
        if session(f"select 1 from pg_database where datname = '{aside}'"):
            session(f'alter database "{aside}" with allow_connections true')
    print(f"{name} is the restored one; what it was is in {aside} (dropdb {aside} when it is not needed any more)")


def _tool(config: Config, program: str, server: Config | None = None) -> list[str]:
    """A program of PostgreSQL's as it asks the host's own server, or another one."""
    own = config["postgresql"]
    at = server or own
    return [f"{own['programs']}/{program}", "-h", at["socket"], "-p", str(at["port"]), "-U", "postgres"]


def _into(argv: list[str], path: str) -> None:
    """Run a program as postgres, its output into a file that only root reads."""
    with open(path, "wb") as stream:
        done = subprocess.run(
            argv, stdout=stream, stderr=subprocess.PIPE, cwd="/", timeout=SECONDS, check=False, **account("postgres")
        )
    if done.returncode:
        said = done.stderr.decode(errors="replace")[-500:]
        raise RemoteError(f"{os.path.basename(argv[0])} ended with {done.returncode}: {said}")
