"""What the lab prepares before it changes the machine: environments, mirrors, CAs, access, boot scripts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import paramiko
import pytest

from nexus.error import OperatorError
from nexus.provider import lab
from nexus.provider.lab import access, base, guest
from nexus.provider.lab.environment import LabEnvironment, LabHost, check_addresses, load
from nexus.provider.lab.host import Host
from nexus.provider.ssh_key import make_key

DEB822 = """\
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
# a comment between
URIs: https://mirror.example/security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb [arch=amd64 signed-by=/x.gpg] http://mirror.example/debian bookworm main contrib
deb http://mirror.example/security bookworm-security main
deb-src http://source.example/debian bookworm main
"""


def etc(tmp_path: Path, release: str, files: dict[str, str]) -> Path:
    (tmp_path / "apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "os-release").write_text(release)
    for name, text in files.items():
        (tmp_path / "apt" / name).write_text(text)
    return tmp_path


def uris(lines: list[str]) -> list[tuple[str, str]]:
    return [(words[2], words[3]) for words in (line.split() for line in lines)]


DEBIAN = "ID=debian\nVERSION_CODENAME=bookworm\n"
UBUNTU = "ID=ubuntu\nVERSION_CODENAME=noble\nUBUNTU_CODENAME=noble\n"


@pytest.mark.parametrize(
    ("files", "security"),
    [
        ({"sources.list.d/debian.sources": DEB822}, "https://mirror.example/security"),
        ({"sources.list": ONE_LINE}, "http://mirror.example/security"),
    ],
)
def test_mirrors_are_the_machines_own_with_the_suite_replaced(
    tmp_path: Path, files: dict[str, str], security: str
) -> None:
    other = {"sources.list.d/other.list": "deb https://vendor.example/apt vendor-bookworm main\n"}
    lines = base.sources(load("lab").settings, etc(tmp_path, DEBIAN, files | other))
    assert uris(lines) == [
        ("http://mirror.example/debian", "trixie"),
        ("http://mirror.example/debian", "trixie-updates"),
        (security, "trixie-security"),
    ]


def test_on_ubuntu_the_mirror_of_the_settings_is_asked(tmp_path: Path) -> None:
    ubuntu = "Types: deb\nURIs: http://ubuntu.example/ubuntu\nSuites: noble noble-updates noble-security\n"
    mine = {"lab_debian_mirror": "http://mine.example/debian", "lab_debian_security_mirror": "http://mine.example/s"}
    settings = {**load("lab").settings, **mine}
    lines = base.sources(settings, etc(tmp_path, UBUNTU, {"sources.list.d/ubuntu.sources": ubuntu}))
    assert uris(lines) == [
        ("http://mine.example/debian", "trixie"),
        ("http://mine.example/debian", "trixie-updates"),
        ("http://mine.example/s", "trixie-security"),
    ]


def test_without_any_debian_mirror_debians_own_are_asked(tmp_path: Path) -> None:
    assert base.sources(load("lab").settings, etc(tmp_path, UBUNTU, {})) == []


def test_every_certificate_of_a_bundle_is_found_once(tmp_path: Path) -> None:
    pem = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
    bundle = tmp_path / "bundle.crt"
    bundle.write_text("# one\n" + pem.format("QUFB\nQUFC") + pem.format("QUFD") + pem.format("QUFBQUFC"))
    found = base._certificates([bundle, tmp_path / "absent.crt"])
    assert sorted(found.values()) == [pem.format("QUFBQUFC"), pem.format("QUFD")]


def test_the_lab_has_eight_hosts_in_their_groups() -> None:
    environment = load("lab")
    assert environment.provider == "lab"
    assert {host.name: host.address for host in environment.hosts} == {
        "edge1": "10.213.0.11",
        **{f"app{n}": f"10.213.0.2{n}" for n in (1, 2, 3)},
        **{f"data{n}": f"10.213.0.3{n}" for n in (1, 2, 3)},
        "ops1": "10.213.0.41",
    }
    assert {"data", "etcd", "postgresql", "one_machine"} <= set(environment.host("data1").groups)
    check_addresses(environment)


def test_lab_and_box_share_no_name_address_or_file() -> None:
    one, other = load("lab"), load("box")
    assert len(other.hosts) == 1
    assert set(other.hosts[0].groups) >= {"edge", "app", "data", "ops", "postgresql", "redis", "rabbitmq"}
    assert not {host.address for host in one.hosts} & {host.address for host in other.hosts}
    assert one.directory != other.directory
    assert one.access != other.access


def test_real_environments_are_not_the_labs() -> None:
    assert {load(name).provider for name in ("staging", "production")} == {"ssh"}


def test_an_unknown_environment_is_named_with_the_nearest_one() -> None:
    with pytest.raises(OperatorError, match=r'(?s)unknown environment "labb"; did you mean "lab"\?.*Known: box, lab'):
        load("labb")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('ops = ["a1"]', "host a1 has address a1, but the lab has"),
        (
            'ops = [("a1", {"address": "10.213.0.9"}), ("a2", {"address": "10.213.0.9"})]',
            "host a2 has address 10.213.0.9, and so has a1",
        ),
    ],
)
def test_a_bad_inventory_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "odd.py"
    file.write_text(text)
    with pytest.raises(lab.LabError, match=complaint):
        check_addresses(load(str(file)))


@pytest.mark.parametrize("address", ["10.213.0.1", "10.214.0.9", "192.0.2.1", "ten"])
def test_addresses_outside_the_labs_network_are_refused(address: str) -> None:
    environment = LabEnvironment("odd", (LabHost("a1", address, ("ops",)),), load("lab").settings)
    with pytest.raises(lab.LabError, match=f"host a1 has address {address}"):
        check_addresses(environment)


def test_ssh_can_read_the_access_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LabEnvironment, "access", tmp_path / "with space" / ".lab")
    (tmp_path / "with space").mkdir()
    environment = load("lab")
    mark = access.make_identity(environment)
    assert access.make_identity(environment) == mark
    keys = {host.name: make_key(host.name)[1] for host in environment.hosts}
    assert access.write(environment, keys) is True
    assert access.write(environment, keys) is False

    private = environment.access / "id_ed25519"
    assert private.stat().st_mode & 0o777 == 0o600
    public = paramiko.Ed25519Key.from_private_key_file(str(private)).get_base64()
    assert public == access.public_key(environment).split()[1]
    known = paramiko.HostKeys(str(environment.access / "known_hosts"))
    assert known["10.213.0.21"]["ssh-ed25519"].get_base64() == keys["app1"].split()[1]
    asked = ["ssh", "-G", "-F", str(environment.access / "ssh_config"), "app1"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert {"user deploy", "hostname 10.213.0.21", f"identityfile {private}"} <= set(told.splitlines())
    assert "stricthostkeychecking true" in told

    access.remove(environment)
    assert not environment.access.exists()


def test_interface_names_fit_the_kernel_and_stay_apart() -> None:
    hosts = [LabHost(name, "10.213.0.9", ()) for name in ("app1", "a-host-with-a-long-name", "a-host-with-a-long-nam")]
    names = [Host(load("lab"), host).interface for host in hosts]
    assert names[0] == "vb-lab-app1"
    assert all(len(name) <= 15 for name in names)
    assert len(set(names)) == 3


@pytest.mark.parametrize("script", [0, 1])
def test_boot_scripts_are_valid_shell(script: int) -> None:
    host = Host(load("lab"), load("lab").host("app1"))
    text = host.boot_scripts(1400)[script]
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0


def test_a_host_restarts_after_a_reboot_not_after_a_power_off(tmp_path: Path) -> None:
    """The keeper itself, with a boot script that stands for nspawn: reboots twice, then powers off."""
    environment = LabEnvironment("odd", (), {"lab_directory": str(tmp_path)})
    host = Host(environment, LabHost("a1", "10.213.0.9", ()))
    host.directory.mkdir(parents=True)
    _, keep = host.boot_scripts(1400)
    lines = keep.splitlines()
    loop = "\n".join(lines[lines.index("while :; do") :])
    (host.directory / "boot").write_text(f"echo x >> {tmp_path}/n; [ $(wc -l < {tmp_path}/n) -ge 3 ] || exit 133")
    subprocess.run(["sh", "-c", loop], check=True, timeout=60)
    assert (tmp_path / "n").read_text().count("x") == 3


def test_hosts_get_a_resolver_that_they_can_reach(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    stub, real = tmp_path / "stub", tmp_path / "real"
    stub.write_text("nameserver 127.0.0.53\n")
    with pytest.raises(lab.LabError, match="stub names a resolver on loopback"):
        guest.write_resolver(tmp_path, (stub, real))
    real.write_text("nameserver 192.0.2.53\n")
    guest.write_resolver(tmp_path, (stub, real))
    assert (tmp_path / "etc/resolv.conf").read_text() == "nameserver 192.0.2.53\n"
