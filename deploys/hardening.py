"""Hardening of every host: SSH, kernel, accounts, files and mounts.

    pyinfra inventory deploys/hardening.py --dry --diff
    pyinfra inventory deploys/hardening.py -y

`hardening_except` takes measures back by their names; roles/hardening/README.md lists them.
"""

from roles.hardening import hardening

hardening()
