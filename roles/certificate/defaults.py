"""Settings of the certificate role."""

certificate_names: list[str] = []  # further names for the leaf certificate of a host or group
certificate_prepared_days: float = 730.0  # for which leaves are prepared on each host: so long it needs no run

# Hosts renew when a third of a certificate's life is over: with fewer days left one has not done so for weeks.
status_certificate_days: int = 21
status_prepared_days: int = 180  # for which hosts have certificates without a run
