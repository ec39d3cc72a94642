"""Restore the last backups into a scratch instance and compare, as the weekly timer does.

    pyinfra inventory deploys/restore_test.py -y

`host` names the host that runs the test. Nothing in use is touched.
"""

from nexus.run.arguments import Host, arguments
from runbooks.restore import prove

given = arguments(host=Host("the host that runs the test; if not given, one that is not primary"))
prove(given.host)
