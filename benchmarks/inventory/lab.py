"""The lab as it is; through the delaying relay if NEXUS_BENCH_RELAY names its first port."""

import os as _os
import runpy as _runpy
from pathlib import Path as _Path

_project = _Path(__file__).resolve().parents[2]
_relay = int(_os.environ.get("NEXUS_BENCH_RELAY") or 0)
_groups = {
    _name: _members
    for _name, _members in _runpy.run_path(str(_project / "inventory" / "lab.py")).items()
    if isinstance(_members, list) and not _name.startswith("_")
}
_names = list(
    dict.fromkeys(_member[0] for _members in _groups.values() for _member in _members if not isinstance(_member, str))
)


def _through(member):
    if isinstance(member, str) or not _relay:
        return member
    name, data = member
    return name, {
        **data,
        "ssh_hostname": "127.0.0.1",
        "ssh_port": _relay + _names.index(name),
        "ssh_known_hosts_file": str(_project / ".lab" / "bench" / "known_hosts.lab"),
    }


for _name, _members in _groups.items():
    globals()[_name] = [_through(_member) for _member in _members]
