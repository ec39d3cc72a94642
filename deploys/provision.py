"""Make the hosts of the environment in NEXUS_ENV, by the provider that its settings name.

    pyinfra @local deploys/provision.py -y

It makes bare hosts and leaves existing ones as they are. Hosts that nobody makes (provider ssh) are looked at, and
refused with the reason if a run could not work there. Host keys that are new are shown to the operator, who confirms
them; without a terminal, NEXUS_FINGERPRINTS has the fingerprints that are right.
"""

from pyinfra.operations import python

from nexus.error import OperatorError
from nexus.provider import lab
from runbooks.contact.terminal import contact

_PROVIDERS = {
    "lab": lab.up_as_root,  # on this machine
    "ssh": contact,  # hosts that exist already: they are looked at
}

_environment = lab.load()
if _environment.provider not in _PROVIDERS:
    raise OperatorError(
        f'group_data/{_environment.name}.py: provider "{_environment.provider}" is not supported;'
        f" known: {', '.join(_PROVIDERS)}"
    )

if _environment.provider == "ssh":
    contact(_environment.name)  # it changes nothing there, so a dry run does it as well
else:
    python.call(
        name=f"Make the hosts of {_environment.name} (provider {_environment.provider})",
        function=_PROVIDERS[_environment.provider],
        environment=_environment,
    )
