"""Remove all hosts of the environment in NEXUS_ENV, and all else that its provider made for it.

    NEXUS_ENV=NAME pyinfra @local deploys/destroy.py --data environment=NAME --dry
    NEXUS_ENV=NAME pyinfra @local deploys/destroy.py --data environment=NAME --data volumes=yes -y

It needs the name of the environment, and where there is data a word for that. With --dry it lists each step.
"""

import os

from pyinfra.operations import python

from nexus.environment.inventory import file_of, hosts_of, read
from nexus.error import OperatorError
from nexus.provider.protocol import provider_of
from nexus.run.arguments import Flag, Word, arguments
from roles.table import ROLES

given = arguments(
    environment=Word("the name of the environment, again: what NEXUS_ENV names"),
    volumes=Flag("also delete volumes of stores, and buckets; this cannot be undone"),
)
_name = os.environ.get("NEXUS_ENV") or "lab"
if given.environment != _name:
    raise OperatorError(f"this removes everything of {_name}: to do so, add --data environment={_name}")
_chosen = hosts_of(_name, read(file_of(_name)))[1].provider

if not (_provider := provider_of(_name, _chosen)):
    raise OperatorError(f'{_name} has provider "{_chosen}": its hosts were not made here, and are not removed here')
_plan = _provider.destroy(_name, ROLES, given.volumes)
_plan.show()
python.call(name=f"Remove everything of {_name} (provider {_chosen})", function=_plan.carry_out)
