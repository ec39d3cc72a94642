"""Settings of apt."""

# Whether hosts install Debian's security updates by themselves, once a day, except packages that roles restart in
# order. Off: apt's timers do not run, and packages change in runs only.
apt_security_updates: bool = False

RENAMED = {"base_apt_timers": "apt_security_updates"}
