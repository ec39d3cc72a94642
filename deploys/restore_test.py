"""Restore the last backups into a scratch instance and compare; what the weekly timer does.

    pyinfra inventory deploys/restore_test.py -y

`host` names the one that is to do it. Nothing that is in use is touched.
"""

from roles.restore import prove

prove()
