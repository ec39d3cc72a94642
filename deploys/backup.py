"""Back up now, before the timer does.

    pyinfra inventory deploys/backup.py -y
    pyinfra inventory deploys/backup.py -y --data store=redis
    pyinfra inventory deploys/backup.py -y --data store=postgresql --data type=full

Waits until the backups are in the bucket.
"""

from roles.restore import back_up

back_up()
