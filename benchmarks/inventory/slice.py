"""Light hosts of the lab for the comparison, NEXUS_BENCH_HOSTS of them, each with only the slice.

NEXUS_BENCH_RELAY is a port: the hosts are then reached through the delaying relay, on this port and the following ones.
"""

import os as _os
from pathlib import Path as _Path

from benchmarks import simulated as _simulated
from benchmarks.slice import address as _address
from benchmarks.slice import register as _register

_register()  # the library plans the slice here, not the platform
_simulated.install()

provider = "lab"

_lab = _Path(__file__).resolve().parents[2] / ".lab"
_relay = int(_os.environ.get("NEXUS_BENCH_RELAY") or 0)


def _host(number):
    return f"slice{number + 1}", {
        "address": _address(number),
        "ssh_hostname": "127.0.0.1" if _relay else _address(number),
        "ssh_port": _relay + number if _relay else 22,
        "ssh_user": "deploy",
        "ssh_key": "" if _simulated.VARIABLE in _os.environ else str(_lab / "slice/id_ed25519"),
        "ssh_known_hosts_file": str(_lab / "bench/known_hosts"),
        "ssh_strict_host_key_checking": "yes",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    }


node = [_host(number) for number in range(int(_os.environ.get("NEXUS_BENCH_HOSTS") or 1))]
