"""PostgreSQL's log on its way into the bucket."""

from nexus.agent.lib import RemoteError
from nexus.agent.wait import tries
from roles.backup.host.vault import Config
from roles.postgresql.host.backup_session import Session

ARCHIVE_SECONDS = 120


def flush_commit(config: Config) -> None:
    """Have all that was acknowledged up to now archived, and a commit after it for a replay to stop at."""
    with Session.here(config) as session:
        session("select pg_current_xact_id()")
        flush(session)


def flush(session: Session) -> None:
    """Have the log archived up to here; RemoteError when that does not happen in time."""
    wanted = session("select pg_walfile_name(pg_switch_wal())")[0]
    told = "select coalesce(last_archived_wal, ''), coalesce(last_failed_wal, '') from pg_stat_archiver"
    for _ in tries(ARCHIVE_SECONDS):
        done, failed = session(told)[0].split("|")
        if done[:24] >= wanted:
            return
    raise RemoteError(
        f"the log {wanted} was not archived within {ARCHIVE_SECONDS} s (last archived: {done or 'none'}, last "
        f"that failed: {failed or 'none'}): the journal of patroni says why, as does `pgbackrest check`"
    )


def archived(config: Config) -> str:
    """When the last segment of the log was archived, UTC."""
    with Session.here(config) as session:
        shape = 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
        return str(session(f"select coalesce(to_char(last_archived_time, '{shape}'), '') from pg_stat_archiver")[0])
