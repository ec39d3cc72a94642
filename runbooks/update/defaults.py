"""Settings of updates and reboots."""

update_return_seconds: int = 600  # how long a host may take to come back after its reboot
update_settle_seconds: int = 600  # how long all hosts may take to be in service again, before the next visit
update_lists_seconds: int = 3600  # package lists older than this are fetched before updates are planned
# When updates may begin, as hours of UTC such as "22-4"; empty: at any time. Outside of it a run is refused.
update_window: str = ""
