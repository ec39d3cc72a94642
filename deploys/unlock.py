"""Show who holds the environment's lock; with --data yes=true, take it away.

Take it only from a run that hangs: the lock of a dead run expires. A run that lost its lock changes nothing more.
"""

from nexus.lock.unlock import unlock
from nexus.run.arguments import Flag, arguments

given = arguments(read_only=True, yes=Flag("take the lock away from its holder"))
unlock(given.yes)
