"""Settings of the platform's services, with their defaults."""

service_engine: str = "swarm"  # where services run, and releases go: "swarm", or "kubernetes" for kubernetes_context

service_environment: dict[str, str] = {}  # variables for every service, in addition to those of the catalogue
service_environment_of: dict[str, dict[str, str]] = {}  # variables by service: {"auth-service": {"FLAG": "on"}}
service_external_keys: dict[str, list[str]] = {}  # services by key: {"STRIPE_API_KEY": ["billing-service"]}; "*": all

service_phase_timeout_seconds: int = 300  # how long a start-up phase may take to become healthy
service_health_interval_seconds: int = 10  # interval of liveness checks, once a service was ready
service_health_timeout_seconds: int = 5  # how long a service may take to answer a check
service_health_retries: int = 3  # failed checks in a row after which a task is replaced
service_health_watch_seconds: int = 600  # how long one process makes the checks before another one takes over
service_health_start_seconds: int = 120  # time after the start in which failed checks do not count
service_health_start_interval_seconds: int = 1  # pause between checks until the first success; a check itself waits
service_stop_seconds: int = 30  # time from SIGTERM to SIGKILL
service_restart_delay_seconds: int = 5  # pause before a failed task is started again
service_update_monitor_seconds: int = 5  # how long a new task must live before the next one is replaced
service_update_parallelism: int = 1  # tasks of one service that are replaced at once
service_secret_keep_days: int = 30  # how long unused versions of a service's configs and secrets are kept
