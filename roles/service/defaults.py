"""Settings of the platform's services, with their defaults."""

service_environment: dict[str, str] = {}  # variables for every service, beside those of the catalogue
service_environment_of: dict[str, dict[str, str]] = {}  # {"auth-service": {"FLAG": "on"}}: for one alone
service_external_keys: dict[str, list[str]] = {}  # {"STRIPE_API_KEY": ["billing-service"]}; "*": all services

service_phase_timeout_seconds: int = 300  # until a start-up phase has to be healthy
service_health_interval_seconds: int = 10  # a service that was ready is asked for its liveness so often, ...
service_health_timeout_seconds: int = 5  # ... has to answer within this, ...
service_health_retries: int = 3  # ... and is replaced after so many failures in a row
service_health_watch_seconds: int = 600  # by one process, which is started anew after so long
service_health_start_seconds: int = 120  # failures do not count, and ...
service_health_start_interval_seconds: int = 1  # ... checks, which wait, follow each other so until the first success
service_stop_seconds: int = 30  # from SIGTERM to SIGKILL
service_restart_delay_seconds: int = 5
service_update_monitor_seconds: int = 5  # a new task has to live so long before the next one is replaced
service_update_parallelism: int = 1  # tasks of one service that are replaced at once
service_secret_keep_days: int = 30  # unused versions of a service's configs and secrets
