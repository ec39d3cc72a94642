"""Make the hosts of the environment in NEXUS_ENV, by the provider that its settings name.

    pyinfra @local deploys/provision.py -y

It makes bare hosts and leaves existing ones as they are. With --dry it lists each step, and changes nothing. Hosts
that nobody makes (provider ssh) are looked at, and refused with the reason if a run could not work there. Host keys
that are new are shown to the operator, who confirms them; without a terminal, NEXUS_FINGERPRINTS has the right ones.
"""

import os

from pyinfra.operations import python

from nexus.environment.inventory import file_of, hosts_of, read
from nexus.provider.protocol import provider_of
from nexus.run.arguments import Flag, arguments
from roles.table import ROLES
from runbooks.contact.terminal import contact

given = arguments(volumes=Flag("delete volumes of stores that left the inventory; this cannot be undone"))
_name = os.environ.get("NEXUS_ENV") or "lab"
_chosen = hosts_of(_name, read(file_of(_name)))[1].provider

if _provider := provider_of(_name, _chosen):
    _plan = _provider.provision(_name, ROLES, given.volumes)
    _plan.show()
    python.call(name=f"Make the hosts of {_name} (provider {_chosen})", function=_plan.carry_out)
else:
    contact(_name)  # it changes nothing there, so a dry run does it as well
