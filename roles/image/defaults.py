"""Settings of the image recipe."""

release: str = "1.0.0"  # tag that every image gets in this run
image_source: str = ""  # checkout of the platform's code; the environment variable NEXUS_SOURCE if empty
image_source_mebibytes: int = 200  # of one service's folder at most: more is something that is no code

image_base: str = ""  # a Debian image where a registry can be reached, as "debian:trixie"; else mmdebstrap's
image_suite: str = "trixie"  # Debian release of a base made by mmdebstrap
image_revision: str = "1"  # another value builds everything anew, with the packages of that day
# npm that installs packages in builds: version and hash of its archive, which is checked
image_npm: str = (
    "10.9.9+sha512.d60fba8cb42f688b81e33c2f1cbef2ad7b977166700ec0ad057f1b6d60ea6ef2"
    "524abf673e20c35931cd8305d1dbb8887134d6eefdc0e7b8435bd458bf65b862"
)
image_environment: dict[str, str] = {}  # variables built into services' images; the reference service knows FAULT
image_npm_registry: str = ""  # npm's own default if empty
image_disk_free_bytes: int = 3 * 1024**3  # wanted free before a build; all layers take about 1 GiB
image_user_id: int = 10001  # of the account that services run as: owner of the secrets mounted into them
