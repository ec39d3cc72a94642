"""Send an environment's own edge the load of operations.yaml, and compare answers with its objectives.

    pyinfra inventory deploys/load_test.py -y

Each phase sends requests at its rate, round its edge hosts; the settings load_test_... scale them. An environment
with users wants `confirm=ENV`. Prints a table, and writes reports/load-test-ENV.json and .html. The exit status is
not 0 when an objective is missed. It ends early once too many requests fail.
"""

from nexus.run.arguments import Host, Word, arguments
from runbooks.load_test import load_test

given = arguments(
    edge=Host("the edge host that gets all requests; all of them in turn if not given"),
    confirm=Word("name of the environment, where it has users"),
)
load_test(edge=given.edge, confirm=given.confirm)
