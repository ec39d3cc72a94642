"""The agent: code that runs on a host. It uses only the standard library of Python 3.11.

It takes three kinds of requests (see nexus/transport/protocol.py for their fields):

- A probe is a question. It changes nothing: `probe(names, context)` of host-side code returns {item: properties}.
- A step is a part of what a role plans. It waits for the host's turn and carries the number of its run, which is
  refused once a newer run has come. It can be repeated after a kill. `apply(change)` of host-side code changes a state.
- An action is a function of host-side code, `NAME(context)`, whose answer is JSON or None: what a runbook does, taking
  the lock, writing the record. An action with `alone` waits for its turn as a step does; any other runs in parallel
  with steps under way.

The library sends these modules and one request over standard input, so nothing is installed on a host and
no secret is ever an argument. It also sends what a role's host-side code imports, see nexus/plan/sent.py.
Nothing here knows any particular role.
"""

# Modules of the agent, each after those that it imports. Modules that a request does not need are not sent.
SYSTEMD = ("http", "systemd_bus", "systemd")
PLACES = ("kernel", "file", "failure", "wait")  # what is at a path, and waiting
PROBES = ("obstacle", "dpkg", "parallel", "probe", "turn", "main")
ASKING: tuple[str, ...] = ("importer", "lib", "change", *SYSTEMD, *PLACES, *PROBES)
CLAIMING: tuple[str, ...] = ("importer", "lib", *PLACES, "fence", "turn", "main")
STEPS = ("dpkg", "apt", "unit", "step", "fence", "turn", "main")
CHANGING: tuple[str, ...] = ("importer", "lib", "change", *SYSTEMD, *PLACES, *STEPS)
