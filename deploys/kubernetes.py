"""Apply the catalogue to the cluster of Kubernetes that kubernetes_context names.

    pyinfra inventory deploys/kubernetes.py --dry
    pyinfra inventory deploys/kubernetes.py -y
    pyinfra inventory deploys/kubernetes.py -y --data services=auth-service --data release=2.4.1
    pyinfra inventory deploys/kubernetes.py -y --data rollback=auth-service

Objects are rendered and checked, then applied by the server; `--dry` shows the server's own difference. A service that
runs keeps its release unless `services` names it. docs/kubernetes.md has more.
"""

from nexus.run.arguments import Services, arguments
from runbooks.kubernetes.deploy import apply

given = arguments(
    services=Services("the services that get the release in the setting `release`"),
    rollback=Services("the services that go back to their earlier release"),
)
apply(given.services, given.rollback)
