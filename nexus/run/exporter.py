"""What a role adds to the metrics of a host, in its file `exporters.py`.

`exporters(env, host)` yields Exporters. `textfiles(env, host)`, if there is one, yields Textfiles.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nexus.plan.desired import File

TEXTFILES = "/var/lib/prometheus/node-exporter"  # programs on a host leave metrics here, in files NAME.prom
RUNTIME = "go_.*|promhttp_.*"  # what programs in Go say about themselves; for `drop`


@dataclass(frozen=True)
class Exporter:
    """Metrics on a port of loopback, of an exporter's package or of a daemon itself.

    A daemon with `tls` is asked at the host's address, with the host's certificate.

    `job` names it in Prometheus and in rules. If `package` is set, it is a package of Debian with a unit of the same
    name: it is started with `arguments`, which listen on loopback, and with `variables` in its environment. `user` is
    the account that its unit runs as, `groups` are further groups of its process. `files` is what it reads at its
    start. `queries` are the query strings of scrapes, {label `server`: query}, for an exporter that asks several
    servers. Metrics whose names match the regular expression `drop` are not kept.
    """

    job: str
    port: int
    path: str = "/metrics"
    tls: bool = False
    package: str = ""
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    groups: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    queries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    drop: str = ""


@dataclass(frozen=True)
class Textfile:
    """Metrics that a program of ours asks for on a host, and leaves in a file for node exporter.

    The function `samples(words)` of the host-side `module` yields (name, labels, value). A timer starts it every
    `seconds`; a file that is three intervals old is an alert.
    """

    name: str
    module: str
    seconds: int
    words: tuple[str, ...] = ()
