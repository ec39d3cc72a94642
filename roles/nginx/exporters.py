"""Metrics of Nginx: its connections, and what its access log says about every service."""

import re
from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import File
from nexus.run.exporter import Exporter

STATUS_PORT, LOG_PORT = 9113, 3903
PROGRAM = "/etc/mtail/nginx.mtail"
# Around the promised response times and the limits of alerts: those are exact, others are between two of these.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60)
# What answers with a token, as the shipped code does it.
TOKENS = ("/api/tokens/generate", "/api/auth/login", "/api/auth/refresh")


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Nginx's own figures, and those of mtail, which reads the access log."""
    arguments = (
        f"--web.listen-address=127.0.0.1:{STATUS_PORT}",
        f"--nginx.scrape-uri=http://127.0.0.1:{host.setting.nginx_status_port}/stub_status",
    )
    yield Exporter("nginx", STATUS_PORT, package="prometheus-nginx-exporter", arguments=arguments, drop="go_.*")
    variables = {  # Debian's unit of mtail reads these and no ARGS
        "HOST": "127.0.0.1",
        "PORT": str(LOG_PORT),
        "LOGS": f"{host.setting.nginx_log_directory}/access.log",
        "EXTRA_ARGS": "--emit_prog_label=false --poll_interval=1s --poll_log_interval=1s",
    }
    yield Exporter(
        "access_log",
        LOG_PORT,
        package="mtail",
        variables=variables,
        groups=("adm",),  # which reads Nginx's logs
        files=(File(PROGRAM, program(env)),),
        drop="go_.*",
    )


def program(env: Environment) -> str:
    """The program of mtail: requests and times by service, failed logins and tokens of all clients."""
    login = [window.scope for window in env.catalogue.gateway.rate_limits.windows if window.name == "login"]
    return env.render(
        "exporter/access.mtail.j2", buckets=BUCKETS, tokens=_paths(env, TOKENS), login=_paths(env, tuple(login))
    )


def _paths(env: Environment, paths: tuple[str, ...]) -> str:
    """A regular expression for paths below /api/, with and without a version, as a program of mtail has it."""
    versions = "|".join(re.escape(prefix.split("/")[2]) for prefix in env.catalogue.gateway.versioning.prefixes)
    below = "|".join(re.escape(path.removeprefix("/api/")) for path in paths)
    return f"/api/(?:(?:{versions})/)?(?:{below})".replace("/", r"\/")
