"""What belongs to an environment besides its stores: the secrets file as it is, encrypted, and the records of runs."""

import os
import tarfile

from roles.backup.host.kind import Kind, Record
from roles.backup.host.vault import Config, Vault, digest, scratch


def save(config: Config, vault: Vault, type_: str = "") -> Record:
    """One archive of all that there is, encrypted and stored; the secrets file once more, so that it needs no key
    but its own to be read.
    """
    holds: dict[str, str] = {}
    sealed = config["environment"]["secrets"]
    if os.path.exists(sealed):
        vault.bucket.upload("environment/secrets.age", sealed)
        holds["secrets.age"] = digest(sealed)
    with scratch() as directory:
        path = f"{directory}/environment.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for name in config["environment"]["paths"]:
                if os.path.exists(name):
                    archive.add(name, arcname=name.lstrip("/"))
            files = [member for member in archive.getmembers() if member.isfile()]
        return vault.save("environment", "environment.tar.gz", path, {**holds, "files": len(files)})


def check(record: Record, path: str) -> list[str]:
    """What differs between an archive and what was recorded of it."""
    with tarfile.open(path) as archive:
        files = len([member for member in archive.getmembers() if member.isfile()])
    wanted = record["holds"]["files"]
    return [] if files == wanted else [f"{record['label']}: {files} files, {wanted} were saved"]


KIND = Kind(is_saver=lambda config: True, save=save, prefixes=("environment/",), check=check)
