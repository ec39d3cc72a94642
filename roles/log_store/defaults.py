"""Settings of the log store."""

log_store_port: int = 19532  # the port where it takes lines of other hosts, over mutual TLS
log_store_megabytes_max: int = 5000  # the largest size of all journals on the log store; the oldest file goes first
log_store_file_megabytes: int = 128  # a journal that has this size is closed, and packed into object storage
log_store_pack_seconds: int = 300  # time between two starts of the program that packs
log_store_file_hours: int = 24  # a journal that has lines of this age is closed even if it is small
# Days for which packed journals are kept in object storage; 0: logging.retention_archive_days of operations.yaml
log_store_archive_days: int = 0
