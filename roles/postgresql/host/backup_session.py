"""One psql that stays open, for what takes several statements in one transaction."""

from __future__ import annotations

import subprocess
from types import TracebackType

from nexus.agent.lib import RemoteError, account
from roles.backup.host.vault import Config

MARK = "--nexus-answered--"
STEADY = (  # what rows look like as text may not depend on who asks
    "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set bytea_output = 'hex'; "
    "set extra_float_digits = 1; set role none; set statement_timeout = 0; set synchronous_commit = local"
)


class Session:
    """A session of the superuser at a Unix socket; RemoteError with the server's words when a statement fails."""

    def __init__(self, directory: str, port: int, database: str) -> None:
        argv = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", directory, "-p", str(port), "-U", "postgres"]
        self.database = database
        self._psql = subprocess.Popen(
            [*argv, "-d", database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd="/",
            **account("postgres"),
        )
        self(STEADY)

    @classmethod
    def here(cls, config: Config, database: str = "postgres") -> Session:
        """At this host's own server."""
        return cls(config["postgresql"]["socket"], config["postgresql"]["port"], database)

    def __call__(self, statement: str) -> list[str]:
        """Lines of the answer, columns between |."""
        assert self._psql.stdin
        assert self._psql.stdout
        try:
            self._psql.stdin.write(f"{statement};\n\\echo {MARK}\n")
            self._psql.stdin.flush()
        except BrokenPipeError:
            self._failed(statement)
        found = []
        while (line := self._psql.stdout.readline()) and line.rstrip("\n") != MARK:
            found.append(line.rstrip("\n"))
        if not line:
            self._failed(statement)
        return found

    def _failed(self, statement: str) -> None:
        assert self._psql.stderr
        said = " ".join(self._psql.stderr.read().split())
        raise RemoteError(f"PostgreSQL, database {self.database}: {statement[:80]}: {said}")

    def close(self) -> None:
        """End the session; what it had begun is rolled back."""
        self._psql.kill()
        self._psql.communicate()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def psql(config: Config, database: str, statement: str) -> list[str]:
    """One statement at this host's server."""
    with Session.here(config, database) as session:
        return session(statement)
