"""Settings of the certificate role."""

certificate_names: list[str] = []  # additional names in the leaf certificate of a host or group
certificate_prepared_days: float = 730.0  # how many days ahead leaves are prepared: a host needs no run for this long

# Days that a certificate should have left. A host renews it when a third of its life is over, so with fewer days left
# the host has not done so for weeks.
status_certificate_days: int = 21
status_prepared_days: int = 180  # days for which hosts should have prepared certificates
