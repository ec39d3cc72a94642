"""Settings of an environment's cluster of Kubernetes."""

kubernetes_context: str = ""  # context of kubectl that names the cluster; without one nothing is applied
kubernetes_tags: bool = False  # True takes images by the tag of `release` if their digests are not known
kubernetes_digests: dict[str, str] = {}  # digest of each service's image, such as sha256:..., if no ops host has them
# HOST:PORT of each store as pods reach it: postgresql, postgresql_direct, redis, redis_cache, rabbitmq, object-storage,
# and mongodb with commas between its members; a store that is not here is absent
kubernetes_stores: dict[str, str] = {}
kubernetes_ca_file: str = ""  # PEM file of the authorities that signed the stores' certificates; our own CA if empty

kubernetes_secrets: str = "apply"  # "apply": a run writes Secrets; "external": External Secrets fetches them
kubernetes_secret_store: str = "nexus-cos"  # name of the ClusterSecretStore of "external"
kubernetes_secret_path: str = "nexus-cos/{environment}/{name}"  # path of a Secret's values in that store
kubernetes_secret_refresh: str = "1h"  # how often External Secrets reads them again
kubernetes_pull_secret: str = "nexus-registry"  # Secret with the login at the registry; empty if nodes need none

kubernetes_edge: str = "gateway"  # "gateway": Gateway API; "ingress": Ingress; "none": neither
kubernetes_gateway_class: str = "nexus-cos"  # class of the Gateway or of the Ingress objects
kubernetes_tls_secret: str = "nexus-tls"  # Secret with the public certificate, which the cluster provides
kubernetes_edge_namespaces: list[str] = []  # further namespaces whose pods may call services with routes
kubernetes_metrics_namespaces: list[str] = ["monitoring"]  # namespaces whose pods may read metrics of all services
kubernetes_dns_namespace: str = "kube-system"  # namespace of the cluster's DNS
kubernetes_outside_cidrs: list[str] = ["0.0.0.0/0"]  # addresses of external providers, without the private ones

kubernetes_autoscale: bool = True  # scale on load; False keeps the planned replicas
kubernetes_history: int = 5  # earlier ReplicaSets that stay for a rollback
kubernetes_stop_delay_seconds: int = 5  # between the removal from endpoints and SIGTERM
kubernetes_undo: bool = True  # a Deployment that does not roll out goes back to its earlier ReplicaSet

# Nodes for the report on capacity; 0 takes the cluster that the catalogue states, spread over its least nodes.
kubernetes_nodes: int = 0  # nodes that run services
kubernetes_node_cpus: float = 0.0  # cores of each
kubernetes_node_memory_bytes: int = 0  # memory of each
kubernetes_node_gpus: int = 0  # GPUs of each
