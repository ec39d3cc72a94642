"""Make the hosts of the environment in NEXUS_ENV, by the provider that its settings name.

    pyinfra @local deploys/provision.py -y

It makes bare hosts and leaves existing ones as they are.
"""

from pyinfra.operations import python

from nexus.error import OperatorError
from nexus.provider import lab

_PROVIDERS = {
    "lab": lab.up_as_root,  # on this machine
    "ssh": None,  # hosts that exist already: the inventory names them
}

_environment = lab.load()
if _environment.provider not in _PROVIDERS:
    raise OperatorError(
        f'group_data/{_environment.name}.py: provider "{_environment.provider}" is not supported;'
        f" known: {', '.join(_PROVIDERS)}"
    )

if _make := _PROVIDERS[_environment.provider]:
    python.call(
        name=f"Make the hosts of {_environment.name} (provider {_environment.provider})",
        function=_make,
        environment=_environment,
    )
