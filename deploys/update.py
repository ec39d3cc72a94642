"""Update packages of hosts and reboot those that need it, one host at a time, replicas before leaders.

    pyinfra inventory deploys/update.py --dry
    pyinfra inventory deploys/update.py -y
    pyinfra inventory deploys/update.py -y --data host=data2 --data security=all
    pyinfra inventory deploys/update.py -y --data packages=openssl,libssl3t64 --data reboot=always

Refused unless the status is green, backups are fresh and no critical alert fires, and outside of `update_window`. A
host whose daemons stop hands over what it leads and its tasks first; it may take `update_return_seconds` to come back.
The next host follows once all is in service again, within `update_settle_seconds`. If a run stops, the same command
continues. Package lists older than `update_lists_seconds` are fetched first, also by `--dry`.
"""

from nexus.error import split
from nexus.run.arguments import Choice, Host, Word, arguments
from runbooks.update import update

given = arguments(
    host=Host("the host to update; all hosts if not given"),
    group=Word("the group whose hosts are updated"),
    security=Choice("true: security updates alone; all: every update", "true", among=("true", "all")),
    packages=Word("only these packages, separated by commas, whatever their kind"),
    reboot=Choice("when to reboot a host", "needed", among=("needed", "always", "never")),
)
update(given.host, given.group, given.security, split(given.packages), given.reboot)
