"""Who holds the environment's lock; with --data yes=true it is taken away from them.

Only for a run that hangs: a dead one's lock ends by itself. Whoever loses it so changes nothing any more.
"""

from nexus.lock.unlock import unlock
from nexus.run.arguments import Flag, arguments

given = arguments(read_only=True, yes=Flag("take the lock away from its holder"))
unlock(given.yes)
