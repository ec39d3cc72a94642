"""Settings of the internal certificate authority."""

certificate_period_seconds: int = (
    2_592_000  # renewal period (30 days): a certificate is valid for three periods and is replaced after one
)
