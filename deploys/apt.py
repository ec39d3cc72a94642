"""Which packages hosts update by themselves: security updates if `apt_security_updates` is set, else none.

    pyinfra inventory deploys/apt.py --dry --diff
    pyinfra inventory deploys/apt.py -y

Packages whose daemons restart in order are updated by deploys/update.py alone.
"""

from roles.apt import apt

apt()
