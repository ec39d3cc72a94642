"""Settings of the internal certificate authority."""

# renewal period of certificates (30 days): each is valid for three periods and is replaced after one
certificate_period_seconds: int = 2_592_000
