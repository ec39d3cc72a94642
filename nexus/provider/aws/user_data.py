"""What a new instance is given for its first start: its user, its host key and the places of its volumes."""

import yaml

from nexus.provider.aws.model import Ref, Text

DEVICE = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_"
# An empty volume gets a filesystem, one with data is left as it is; systemd waits for the volume to be attached.
OPTIONS = "defaults,nofail,x-systemd.makefs,x-systemd.growfs,x-systemd.device-timeout=15min"


def user_data(name: str, user: str, authorized: list[str], host_key: tuple[str, str], volumes: dict[str, Ref]) -> Text:
    """Return cloud-init's configuration of a host; `volumes` is {directory: volume}.

    The host key is made beforehand, so that the first connection can be verified. A directory without its volume
    cannot be written to: a store must not begin on the host's own disk.
    """
    private, public = host_key
    config = {
        "hostname": name,
        "preserve_hostname": False,
        "disable_root": True,
        "ssh_pwauth": False,
        "ssh_deletekeys": True,
        "ssh_genkeytypes": [],
        "ssh_keys": {"ed25519_private": private, "ed25519_public": public},
        "users": [
            {
                "name": user,
                "shell": "/bin/bash",
                "lock_passwd": True,
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "ssh_authorized_keys": authorized,
            }
        ],
    }
    text = "#cloud-config\n" + yaml.safe_dump(config, sort_keys=False, width=1000)
    if not volumes:
        return Text((text,))
    parts: list[str | Ref] = [text, "runcmd:\n"]
    for directory, volume in volumes.items():
        parts += [_command(f"mkdir -p {directory} && chattr +i {directory}")]
        parts += ['- "echo ', DEVICE, "$(echo ", volume, f' | tr -d -) {directory} ext4 {OPTIONS} 0 2 >> /etc/fstab"\n']
    names = " ".join(f"$(systemd-escape -p --suffix=mount {directory})" for directory in volumes)
    parts += [_command("systemctl daemon-reload"), _command(f"systemctl start --no-block {names}")]
    return Text(tuple(parts))


def _command(text: str) -> str:
    return f'- "{text}"\n'
