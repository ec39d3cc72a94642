"""Apply the catalogue to the cluster of Kubernetes that kubernetes_context names.

    pyinfra inventory deploys/kubernetes.py --dry
    pyinfra inventory deploys/kubernetes.py -y

Objects are rendered and checked, then applied by the server; `--dry` shows the server's own difference. A service that
runs keeps its release: deploys/release.py and deploys/rollback.py change it where service_engine is "kubernetes".
docs/kubernetes.md has more.
"""

from runbooks.kubernetes.deploy import apply

apply()
