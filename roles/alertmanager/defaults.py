"""Settings of the alertmanager role."""

alertmanager_port: int = 9093  # the port where Prometheus sends alerts, over mutual TLS
alertmanager_cluster_port: int = 9094  # the port where the Alertmanagers of several ops hosts agree, over mutual TLS
alertmanager_email_to: list[str] = []  # addresses that get all alerts by e-mail
alertmanager_email_from: str = ""  # the sender of these e-mails
alertmanager_smtp_server: str = ""  # HOST:PORT of the mail server
alertmanager_smtp_user: str = ""  # user at the mail server; its password is the secret alertmanager/smtp-password
alertmanager_smtp_tls: bool = True  # whether e-mails are only sent over STARTTLS
alertmanager_webhook_urls: list[str] = []  # URLs that get all alerts as Alertmanager's JSON
# The URL of a dead man's switch outside of the platform. It is called each minute and must tell someone if it is not.
alertmanager_watchdog_url: str = ""
