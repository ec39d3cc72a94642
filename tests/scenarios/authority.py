"""A public authority for a scenario: Debian's pebble and dnsmasq on an ops host of the lab, until the scenario ends."""

from __future__ import annotations

import json
import random
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from control import Control
from cryptography import x509

from nexus.provider.lab.machine import wait_until
from roles.acme.host import edges
from roles.acme.host.places import RECORD
from roles.certificate.host.public import DIRECTORY
from roles.certificate.plan import CA, KEY, LEAF

PORT, MANAGEMENT, DNS = 14000, 15000, 8053
UNITS = ("nexus-test-pebble", "nexus-test-dns")
CONFIG, HOSTS = "/run/nexus-test-pebble.json", "/run/nexus-test-hosts"
TRUSTED = "/usr/local/share/ca-certificates/scenario.crt"
VALIDITY_SECONDS = 90 * 86400
READ = """
import json
known = json.load(open("{}"))
print(json.dumps({{name: value for name, value in known.items() if name not in ("pair", "open")}}))
"""
LOOK_UP = """
import dns.resolver
asked = dns.resolver.Resolver(configure=False)
asked.nameservers, asked.port = ["{}"], {}
print(*sorted(str(found) for found in asked.resolve("{}", "A")))
"""
CHANGE = """
import json
known = json.load(open("{0}"))
json.dump({{**known, **json.loads('{1}')}}, open("{0}", "w"))
"""


class ScenarioAuthority:
    """Pebble on the first ops host; every name leads to the edge hosts."""

    def __init__(self, control: Control) -> None:
        self.control, self.host = control, control.group("ops")[0]
        self.address = control.lab.host(self.host).address
        self.env = control.planned
        control.ssh(self.host, "sudo apt-get install -y -q pebble dnsmasq-base python3-dnspython", seconds=300)

    @property
    def data(self) -> dict[str, Any]:
        """The settings of the role."""
        return {
            "acme_directories": [f"https://{self.address}:{PORT}/dir"],
            "acme_ca_file": CA,
            "acme_resolvers": [f"{self.address}:{DNS}"],
            "acme_check_seconds": 10,
            "acme_information_seconds": 60,
            "firewall_allow": [{"from": [f"{self.env.host(name).address}/32" for name in self.control.group("ops")],
                                "to": "ops", "port": PORT, "why": "the authority of a scenario"}],
        }  # fmt: skip

    def start(self, validity: int = VALIDITY_SECONDS, bad_nonces: int = 5) -> None:
        """Start it, with no memory of accounts and orders."""
        self.stop()
        settings = {
            "listenAddress": f"{self.address}:{PORT}",
            "managementListenAddress": f"{self.address}:{MANAGEMENT}",
            "certificate": LEAF,
            "privateKey": KEY,
            "httpPort": int(self.env.setting.nginx_http_port),
            "tlsPort": int(self.env.setting.nginx_https_port),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
            "certificateValidityPeriod": validity,
        }
        self.control.ssh(self.host, f"sudo tee {CONFIG} >/dev/null", json.dumps({"pebble": settings}))
        self._write_addresses(self.control.group("edge"))
        run = "sudo systemd-run --collect --quiet --unit={} {} {}"
        dns = f"dnsmasq -k -C /dev/null -p {DNS} -a {self.address} --bind-interfaces --no-resolv --no-hosts"
        self.control.ssh(self.host, run.format(UNITS[1], "", f"{dns} --local=/#/ --addn-hosts={HOSTS}"))
        chaos = f"-E PEBBLE_VA_NOSLEEP=1 -E PEBBLE_AUTHZREUSE=0 -E PEBBLE_WFE_NONCEREJECT={bad_nonces}"
        command = f"pebble -config {CONFIG} -dnsserver {self.address}:{DNS}"
        self.control.ssh(self.host, run.format(UNITS[0], chaos, command))
        ask = f"curl -sf --cacert {CA} https://{self.address}:{PORT}/dir"
        assert wait_until(partial(self._succeeds, ask), 60, pause=1), "pebble does not answer"
        self.trust()

    def stop(self) -> None:
        """Stop it and its DNS."""
        self.control.ssh(self.host, f"sudo systemctl stop {' '.join(UNITS)} 2>/dev/null; true")

    def trust(self) -> None:
        """Let the hosts that ask Nginx trust its root, as an operator does with a private authority."""
        self._trust(self.root())

    def forget(self) -> None:
        """Stop it; no host trusts it any longer or has a certificate of it."""
        self.stop()
        self._trust("")
        for host in dict.fromkeys([*self.control.group("edge"), *self.control.group("ops")]):
            self.control.ssh(host, "sudo systemctl stop nexus-acme.timer 2>/dev/null; true")
            self.control.ssh(host, f"sudo rm -rf {RECORD} {DIRECTORY}")

    def _trust(self, root: str) -> None:
        change = f"sudo tee {TRUSTED} >/dev/null" if root else f"sudo rm -f {TRUSTED}"
        for host in dict.fromkeys([*self.control.group("edge"), *self.control.group("ops")]):
            self.control.ssh(host, f"{change}; sudo update-ca-certificates 2>&1", root)

    def names_lead_to(self, hosts: Sequence[str]) -> None:
        """Let every name lead to these edge hosts, from the next question on."""
        addresses = self._write_addresses(hosts)
        self.control.ssh(self.host, f"sudo systemctl kill -s HUP {UNITS[1]}")
        ask = LOOK_UP.format(self.address, DNS, self.names[0])
        found = partial(self.control.ssh, self.host, "python3 -", ask)
        assert wait_until(lambda: found().split() == addresses, 60, pause=1), "the DNS answers as before"

    def _write_addresses(self, hosts: Sequence[str]) -> list[str]:
        addresses = sorted(self.env.host(host).address for host in hosts)
        lines = "".join(f"{address} {' '.join(self.names)}\n" for address in addresses)
        self.control.ssh(self.host, f"sudo tee {HOSTS}", lines)
        return addresses

    def _succeeds(self, command: str) -> bool:
        try:
            self.control.ssh(self.host, command)
        except RuntimeError:
            return False
        return True

    @property
    def names(self) -> list[str]:
        """The names in the certificate."""
        domain = self.env.setting.domain
        return [domain, f"api.{domain}"]

    def root(self) -> str:
        """The root that signs what it issues, PEM."""
        return self.control.ssh(self.host, f"curl -sf --cacert {CA} https://{self.address}:{MANAGEMENT}/roots/0")

    def record(self, host: str = "") -> dict[str, Any]:
        """What an ops host knows, without keys."""
        found: dict[str, Any] = json.loads(self.control.ssh(host or self.host, "sudo python3 -", READ.format(RECORD)))
        return found

    def change_record(self, values: Mapping[str, Any]) -> None:
        """Change what the first ops host knows, as time would."""
        self.control.ssh(self.host, "sudo python3 -", CHANGE.format(RECORD, json.dumps(values)))

    def due(self) -> None:
        """Let the certificate be due at the next start of the program, without a pause after an earlier refusal.

        A start that is under way would write its own record afterwards, so it is awaited.
        """
        self.control.ssh(self.host, "sudo systemctl start nexus-acme; true", seconds=300)
        now = time.time()
        told = {"serial": self.record()["serial"], "start": now, "end": now}
        self.change_record({"information": told, "ask_again": now + 3600, "failures": {}})

    def shown(self, name: str) -> str:
        """The serial that an edge host shows to clients."""
        setting = self.env.setting
        config = {"edges": {name: self.env.host(name).address}, "https_port": setting.nginx_https_port}
        der = edges.shown({**config, "names": self.names}, name)
        return f"{x509.load_der_x509_certificate(der).serial_number:x}"

    def all_show(self, serial: str) -> bool:
        """Whether every edge host shows this serial."""
        return {self.shown(name) for name in self.control.group("edge")} == {serial}


@contextmanager
def handshakes(authority: ScenarioAuthority, rate: float) -> Any:
    """Handshakes with edge hosts at random, so many a second; {"made": n, "failed": [reasons]} when they end."""
    found: dict[str, Any] = {"made": 0, "failed": []}
    ends, places = threading.Event(), authority.control.group("edge")
    setting, draw = authority.env.setting, random.Random(1)
    config = {"edges": {name: authority.env.host(name).address for name in places}, "names": authority.names}

    def shake() -> None:
        while not ends.wait(1 / rate * 4):
            found["made"] += 1
            try:
                edges.shown({**config, "https_port": setting.nginx_https_port}, draw.choice(places))
            except (OSError, ssl.SSLError) as error:
                found["failed"].append(str(error))

    threads = [threading.Thread(target=shake, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        ends.set()
        for thread in threads:
            thread.join(30)
