"""What services run with: image, replicas, port, every variable and file, and where each comes from.

    pyinfra inventory deploys/service_config.py --data service=auth-service
    pyinfra inventory deploys/service_config.py --data format=json

Shows what is planned, and after NOW what the swarm has where that differs. Of a secret it shows a mark, a keyed hash:
equal marks are equal values. Asks and changes nothing.
"""

from nexus.run.arguments import Choice, Services, arguments
from runbooks.daily import service_config

given = arguments(
    read_only=True,
    service=Services("the services to show; all if not given"),
    format=Choice("the form of the output", "text", among=("text", "json")),
)
service_config(given.service, as_json=given.format == "json")
