"""Show what services run with: image, replicas, port, every variable and file, and the origin of each.

    pyinfra inventory deploys/service_config.py --data service=auth-service
    pyinfra inventory deploys/service_config.py --data format=json

It shows the planned value, and after NOW the swarm's value if that differs. A secret is shown as a mark, a keyed hash:
equal marks mean equal values. Changes nothing.
"""

from nexus.run.arguments import Choice, Services, arguments
from runbooks.daily import service_config

given = arguments(
    read_only=True,
    service=Services("the services to show; all if not given"),
    format=Choice("the form of the output", "text", among=("text", "json")),
)
service_config(given.service, as_json=given.format == "json")
