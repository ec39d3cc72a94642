"""Makes the hosts of the environment in NEXUS_ENV, by the provider that its settings name.

    pyinfra @local deploys/provision.py -y

Makes hosts and nothing on them. Hosts that are there already are left as they are.
"""

from pyinfra.operations import python

from nexus.error import OperatorError
from nexus.provider import lab

_PROVIDERS = {
    "lab": lab.up_as_root,  # on this machine
    "ssh": None,  # simply there: the inventory names them
}

_environment = lab.load()
if _environment.provider not in _PROVIDERS:
    raise OperatorError(
        f'group_data/{_environment.name}.py: nothing here makes hosts of provider "{_environment.provider}";'
        f" known: {', '.join(_PROVIDERS)}"
    )

if _make := _PROVIDERS[_environment.provider]:
    python.call(
        name=f"Make the hosts of {_environment.name} (provider {_environment.provider})",
        function=_make,
        environment=_environment,
    )
