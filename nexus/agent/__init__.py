"""What runs on a host. Standard library of Python 3.11 alone.

Three kinds of requests come here (see nexus/transport/protocol.py for their fields):

- A probe is a question. It changes nothing: `probe(names, context)` of host-side code returns {item: properties}.
- A step is a part of what a role plans. It waits for the host's turn, shows the number of its run, which is refused
  once another run has come, and can be repeated after a kill. `apply(change)` of host-side code changes a state.
- An action is a function of host-side code, `NAME(context)`, whose answer is JSON or None: what a runbook does, taking
  the lock, writing the record. One that goes `alone` waits for its turn as a step does; any other goes aside, while
  steps are under way.

The library sends these modules and one request over standard input, so nothing is installed on a host and
no secret is ever an argument. What a role's own host-side code imports besides is sent with it, see
nexus/plan/sent.py. Nothing here knows any one role.
"""

# Modules of the agent, each after those that it imports. What a request has no use for stays at home.
SYSTEMD = ("http", "systemd_bus", "systemd")
PLACES = ("kernel", "file", "failure", "wait")  # what lies where, and what is waited for
PROBES = ("obstacle", "dpkg", "parallel", "probe", "turn", "main")
ASKING: tuple[str, ...] = ("importer", "lib", "change", *SYSTEMD, *PLACES, *PROBES)
CLAIMING: tuple[str, ...] = ("importer", "lib", *PLACES, "fence", "turn", "main")
STEPS = ("dpkg", "apt", "unit", "step", "fence", "turn", "main")
CHANGING: tuple[str, ...] = ("importer", "lib", "change", *SYSTEMD, *PLACES, *STEPS)
