"""Settings of the image recipe."""

release: str = "1.0.0"  # tag that every image gets in this run
image_source: str = ""  # path of a checkout of the platform's code; if empty, the environment variable NEXUS_SOURCE
image_source_mebibytes: int = 200  # size limit of one service's folder: a larger one holds more than code

image_base: str = ""  # Debian image of a reachable registry, such as "debian:trixie"; if empty, mmdebstrap makes one
image_suite: str = "trixie"  # Debian release of a base made by mmdebstrap
image_revision: str = "1"  # another value rebuilds all images with the packages of that day
# version of the npm that installs packages in builds, with the hash that its archive must have
image_npm: str = (
    "10.9.9+sha512.d60fba8cb42f688b81e33c2f1cbef2ad7b977166700ec0ad057f1b6d60ea6ef2"
    "524abf673e20c35931cd8305d1dbb8887134d6eefdc0e7b8435bd458bf65b862"
)
image_environment: dict[str, str] = {}  # variables built into services' images; the reference service knows FAULT
image_npm_registry: str = ""  # npm registry that builds install from; npm's own default if empty
image_disk_free_bytes: int = 3 * 1024**3  # free space that a build requires; all layers take about 1 GiB
image_user_id: int = 10001  # user ID that services run as; it owns the secrets mounted into them
