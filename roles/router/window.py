"""Limits over long windows (5 logins in 15 minutes): Nginx cannot express them, stick tables can.

Nginx names the windows of a request in a header, because only Nginx knows which route matched. A comparison of
paths here could be evaded by another spelling (%6Cogin).
"""

from dataclasses import dataclass

from nexus.environment.environment import Environment
from nexus.error import OperatorError, nearest

MOST = 3  # stick counters that HAProxy is built with


@dataclass(frozen=True)
class Window:
    """At most `requests` of one client address in `seconds`, below the path `scope`."""

    name: str
    requests: int
    seconds: int
    scope: str

    def covers(self, path: str) -> bool:
        """Whether a route of this path counts."""
        return path.startswith(self.scope) if self.scope.endswith("/") else path == self.scope


def windows(env: Environment) -> tuple[Window, ...]:
    """The windows that the environment switches on; OperatorError where the edge cannot count one."""
    known = {window.name: window for window in env.catalogue.gateway.rate_limits.windows}
    requests = dict(env.setting.router_window_requests)
    found = []
    for name in env.setting.router_windows:
        if name not in known:
            place = env.catalogue.where("gateway.yaml", "rate_limits", "windows")
            raise OperatorError(f'router_windows: unknown window "{name}"{nearest(name, known)} ({place})')
        if known[name].key != "client-address":
            raise OperatorError(
                f'router_windows: "{name}" counts by {known[name].key}, which the edge does not know; '
                "remove it and leave that limit to the service "
                f"({env.catalogue.where('gateway.yaml', 'rate_limits', 'windows', name, 'key')})"
            )
        window = known[name]
        found.append(Window(name, requests.pop(name, window.requests), window.window_seconds, window.scope))
    if requests:
        raise OperatorError(f"router_window_requests: {', '.join(requests)} is not among router_windows")
    if len(found) > MOST:
        raise OperatorError(f"router_windows: at most {MOST} windows can be counted, found {len(found)}")
    return tuple(found)
