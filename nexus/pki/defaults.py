"""Settings of the internal certificate authority."""

certificate_period_seconds: int = 2_592_000  # 30 days: a leaf lives for three periods and is replaced after one
