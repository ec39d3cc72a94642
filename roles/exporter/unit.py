"""How a unit of Debian's packages around Prometheus is started: its arguments, and a drop-in."""

from collections.abc import Mapping, Sequence

from nexus.environment.environment import Environment
from nexus.plan.desired import File

UNITS = "/etc/systemd/system"


def unit_files(
    env: Environment,
    package: str,
    arguments: Sequence[str],
    variables: Mapping[str, str] | None = None,
    groups: Sequence[str] = (),
    user: str = "",
) -> tuple[File, File]:
    """Arguments and variables as the package's unit reads them, which may hold a password; its account and groups."""
    values = {"arguments": arguments, "variables": variables or {}, "groups": groups, "user": user}
    return (
        File(
            f"/etc/default/{package}", env.render("exporter/default.j2", **values), mode=0o600, secret=bool(variables)
        ),
        File(f"{UNITS}/{package}.service.d/10-nexus-cos.conf", env.render("exporter/service.conf.j2", **values)),
    )
