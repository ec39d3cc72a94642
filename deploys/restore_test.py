"""Restore the last backups into a scratch instance and compare; what the weekly timer does.

    pyinfra inventory deploys/restore_test.py -y

`host` names the one that is to do it. Nothing that is in use is touched.
"""

from nexus.run.arguments import Host, arguments
from runbooks.restore import prove

given = arguments(host=Host("the host that runs the test; one that is not primary if not given"))
prove(given.host)
