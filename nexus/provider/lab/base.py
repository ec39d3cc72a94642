"""The base system that all lab hosts share read-only: Debian 13, built once and cached by its content.

From the machine it takes only the way to packages: mirrors, proxies, credentials, CAs.
"""

import base64
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nexus.provider.lab import defaults
from nexus.provider.lab.machine import LabError, kill, processes, remove_tree, run, say
from nexus.provider.lab.precheck import KEYRING

PACKAGES = "systemd,systemd-sysv,dbus,openssh-server,python3,iproute2,ca-certificates,sudo,procps"
ETC = Path("/etc")
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
APT_SETTINGS = re.compile(r"Acquire::(https?|ftp|Check-Date|Check-Valid-Until|Retries|ForceIPv[46])\b", re.IGNORECASE)

# Runs inside the new root. Each host has its own host keys and machine-id.
CUSTOMISE = """\
set -e
useradd --create-home --shell /bin/bash --uid 1000 deploy
echo 'deploy ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/deploy
chmod 0440 /etc/sudoers.d/deploy
rm -f /etc/ssh/ssh_host_*
cat > /etc/ssh/sshd_config.d/10-lab.conf <<END
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
END
mkdir -p /etc/systemd/networkd.conf.d /etc/systemd/network
cat > /etc/systemd/networkd.conf.d/10-lab.conf <<END
# Docker and keepalived own routes and rules of their own.
[Network]
ManageForeignRoutes=no
ManageForeignRoutingPolicyRules=no
END
systemctl enable systemd-networkd.service ssh.service
systemctl mask systemd-modules-load.service  # modules are the machine's business
echo force-unsafe-io > /etc/dpkg/dpkg.cfg.d/10-lab
echo 'LANG=C.UTF-8' > /etc/default/locale
update-ca-certificates
touch /etc/.updated /var/.updated  # nothing to rebuild at a host's first boot
"""

# In the environment of all processes that build a base, so that an interrupted build can be cleaned up.
MARK = "NEXUS_LAB_BASE"

# Programs with their own CA list read these; only a machine with its own CAs needs them.
CA_VARIABLES = "".join(f"{name}={BUNDLE}\n" for name in ("NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE"))


def ensure(directory: Path, settings: Mapping[str, Any]) -> Path:
    """The root of the base system that fits the machine as it is now; built if it does not exist yet."""
    recipe = _recipe(settings)
    key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
    root = directory / "base" / key
    if not root.is_dir():
        clean(directory, also_whole=True)
        root.parent.mkdir(parents=True, exist_ok=True)
        _make(root, recipe)
    return root


def clean(directory: Path, also_whole: bool = False) -> None:
    """Stop and delete what an interrupted build left and, if `also_whole`, bases that no host uses."""
    parent = directory / "base"
    if not parent.is_dir():
        return
    while makers := [p.pid for p in processes() if _makes(p.pid, parent)]:
        kill(makers)
    specs = (directory / "environments").glob("*/*/spec.json")
    used = {json.loads(spec.read_text())["base"] for spec in specs}
    for entry in parent.iterdir():
        if entry.name.endswith(".partial") or (also_whole and entry.name not in used):
            remove_tree(entry)


def _makes(pid: int, parent: Path) -> bool:
    """Whether a process belongs to the build of a base there: all child processes inherit the mark."""
    try:
        return f"{MARK}={parent}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _recipe(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "packages": PACKAGES,
        "customise": CUSTOMISE,
        "sources": sources(settings),
        "apt": _apt_settings(),
        "credentials": {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in _apt_credentials()},
        "authorities": [hashlib.sha256(pem.encode()).hexdigest() for pem in _machine_authorities()],
    }


def _make(root: Path, recipe: Mapping[str, Any]) -> None:
    """Build next to the final place and rename, so that a base is complete or absent."""
    say("lab: building the base system, Debian 13 (about half a minute, kept for the next time)")
    partial = root.with_name(f"{root.name}.partial")
    command = ["mmdebstrap", "--mode=root", "--format=directory", "--variant=minbase", f"--keyring={KEYRING}"]
    command.append(f"--include={PACKAGES}")
    command.append("--skip=cleanup/apt/lists")  # so that a host's first update fetches only changes
    command += [f"--aptopt={line}" for line in recipe["apt"]]
    command += [f'--setup-hook=mkdir -p "$1"{p.parent}; cp {p} "$1"{p}' for p in _apt_credentials()]
    done = subprocess.run(
        [*command, defaults.SUITE, str(partial), *recipe["sources"]],
        stdin=subprocess.DEVNULL,
        env={**os.environ, MARK: str(root.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-15:])
        remove_tree(partial)
        raise LabError(f"mmdebstrap could not build the base system from {recipe['sources'] or 'Debian'}:\n{said}")
    _add_authorities(partial)
    run("chroot", str(partial), "/bin/sh", "-c", CUSTOMISE)
    (partial / "etc/machine-id").write_text("")
    partial.chmod(0o755)
    partial.rename(root)


def sources(settings: Mapping[str, Any], etc: Path = ETC) -> list[str]:
    """The machine's Debian mirrors with the suite replaced, as lines of sources.list.

    Empty if the machine has none and none is set: then mmdebstrap uses Debian's own servers.
    """
    found: dict[str, str] = {}
    for uri, suite in _entries(etc):
        archive, _, part = suite.partition("-")
        if archive in _debian_names(etc) and part in ("", "updates", "security"):
            found.setdefault(part, uri)
    mirror = found.get("") or settings["lab_debian_mirror"]
    if not mirror:
        return []
    found = {
        "": mirror,
        "updates": found.get("updates", mirror),
        "security": found.get("security") or settings["lab_debian_security_mirror"],
    }
    return [
        f"deb [signed-by={KEYRING}] {uri} {'-'.join(filter(None, (defaults.SUITE, part)))} main"
        for part, uri in found.items()
        if uri
    ]


def _debian_names(etc: Path) -> set[str]:
    """Names of the machine's own Debian release in its sources; empty if it is not Debian."""
    release = dict(line.split("=", 1) for line in (etc / "os-release").read_text().splitlines() if "=" in line)
    if release.get("ID", "").strip('"') != "debian":
        return set()
    return {release.get("VERSION_CODENAME", "").strip('"'), "stable", "testing", defaults.SUITE}


def _entries(etc: Path) -> list[tuple[str, str]]:
    """(URI, suite) of every enabled binary source, in one-line and deb822 style."""
    entries = []
    for file in [etc / "apt/sources.list", *sorted((etc / "apt/sources.list.d").glob("*.list"))]:
        if file.is_file():
            for line in file.read_text().splitlines():
                if match := re.match(r"deb\s+(?:\[.*?\]\s+)?(\S+)\s+(\S+)", line.strip()):
                    entries.append((match[1], match[2]))
    for file in sorted((etc / "apt/sources.list.d").glob("*.sources")):
        lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
        for stanza in "\n".join(lines).split("\n\n"):
            fields = dict(re.findall(r"^([\w-]+):\s*(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE))
            if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes").strip().lower() != "no":
                entries += [(u, s) for u in fields.get("URIs", "").split() for s in fields.get("Suites", "").split()]
    return entries


def _apt_settings() -> list[str]:
    """How the machine's apt reaches its mirrors: proxies (also from environment variables), and what it checks."""
    lines = [line for line in run("apt-config", "dump").stdout.splitlines() if APT_SETTINGS.match(line)]
    lines = [re.sub(r'(::CAInfo) ".*"', rf'\1 "{BUNDLE}"', line) for line in lines if "Auto-Detect" not in line]
    for scheme in ("http", "https"):
        proxy = os.environ.get(f"{scheme}_proxy") or os.environ.get(f"{scheme.upper()}_PROXY")
        if proxy and not any(line.lower().startswith(f"acquire::{scheme}::proxy ") for line in lines):
            lines.append(f'Acquire::{scheme}::Proxy "{proxy}";')
    return [*lines, 'Acquire::Languages "none";']


def _apt_credentials() -> list[Path]:
    single = ETC / "apt/auth.conf"
    return [*([single] if single.is_file() else []), *sorted((ETC / "apt/auth.conf.d").glob("*.conf"))]


def _machine_authorities() -> list[str]:
    """Certificates that the machine's administrator added to the distribution's list, or that apt trusts."""
    files = [BUNDLE, *sorted(Path("/usr/local/share/ca-certificates").rglob("*.crt"))]
    files += [Path(m) for m in re.findall(r'::CAInfo "(.+)"', run("apt-config", "dump").stdout)]
    stock = _certificates(sorted(Path("/usr/share/ca-certificates").rglob("*.crt")))
    return [pem for digest, pem in sorted(_certificates(files).items()) if digest not in stock]


def _certificates(files: Sequence[Path]) -> dict[str, str]:
    """{digest: PEM} of every certificate in these files, each once."""
    found = {}
    for file in files:
        if file.is_file():
            for body in PEM.findall(file.read_text(errors="replace")):
                der = base64.b64decode("".join(body.split()))
                pem = "\n".join(re.findall(".{1,64}", base64.b64encode(der).decode()))
                text = f"-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n"
                found[hashlib.sha256(der).hexdigest()] = text
    return found


def _add_authorities(root: Path) -> None:
    """Write one file for each: update-ca-certificates reads only the first certificate of a file."""
    authorities = _machine_authorities()
    place = root / "usr/local/share/ca-certificates"
    place.mkdir(parents=True, exist_ok=True)
    for pem in authorities:
        (place / f"machine-{hashlib.sha256(pem.encode()).hexdigest()[:12]}.crt").write_text(pem)
    if authorities:
        with (root / "etc/environment").open("a") as environment:
            environment.write(CA_VARIABLES)
