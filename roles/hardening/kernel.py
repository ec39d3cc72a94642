"""Measures of the kernel, computed from the roles of a host.

Docker turns forwarding on by itself. It then also drops what it does not forward, but only if it found forwarding off,
so no file here turns it on.
"""

from functools import partial

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import File
from roles.hardening.measure import Measure, Part
from roles.table import ROLES

STRICT, LOOSE = "1", "2"
MODULES = "/etc/modprobe.d/nexus-hardening.conf"


def has_containers(env: Environment, host: Host) -> bool:
    """Whether Docker runs there: it forwards packets, on ways that differ from the ways back."""
    return "docker" in ROLES.of(host)


def _not_forwarding(env: Environment, host: Host) -> bool:
    return not has_containers(env, host)


def _source_check(env: Environment, host: Host) -> Part:
    return Part(sysctl={"net.ipv4.conf.*.rp_filter": LOOSE if has_containers(env, host) else STRICT})


def _set(sysctl: dict[str, str], env: Environment, host: Host) -> Part:
    return Part(sysctl=sysctl)


def _modules(env: Environment, host: Host) -> Part:
    text = env.render("hardening/modules.conf.j2", modules=host.setting.hardening_modules)
    return Part(files=(File(MODULES, text),))


FORWARDING = {"net.ipv4.ip_forward": "0", "net.ipv6.conf.all.forwarding": "0"}
NETWORK = {
    **{
        f"net.{version}.conf.*.{name}": "0"
        for version in ("ipv4", "ipv6")
        for name in ("accept_redirects", "accept_source_route")
    },
    "net.ipv4.conf.*.send_redirects": "0",
    "net.ipv4.conf.all.log_martians": "1",
    "net.ipv4.conf.default.log_martians": "1",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv4.tcp_rfc1337": "1",
    "net.ipv4.icmp_echo_ignore_broadcasts": "1",
    "net.ipv4.icmp_ignore_bogus_error_responses": "1",
}
ADDRESSES = {
    "kernel.kptr_restrict": "2",
    "kernel.dmesg_restrict": "1",
    "kernel.perf_event_paranoid": "3",
    "kernel.randomize_va_space": "2",
}
LINKS = {
    "fs.protected_hardlinks": "1",
    "fs.protected_symlinks": "1",
    "fs.protected_fifos": "2",
    "fs.protected_regular": "2",
}
BPF = {"kernel.unprivileged_bpf_disabled": "1", "net.core.bpf_jit_harden": "2"}
CONSOLE = {"kernel.sysrq": "0", "dev.tty.ldisc_autoload": "0"}
DUMPS = {"fs.suid_dumpable": "0", "kernel.core_pattern": "|/bin/false"}

# Forwarding comes first: to change it resets other settings of interfaces.
MEASURES = (
    Measure(
        "kernel-forwarding",
        "no forwarding of packets, on hosts without Docker",
        "A host that routes for nobody must not be a way around the firewall.",
        "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding",
        partial(_set, FORWARDING),
        _not_forwarding,
    ),
    Measure(
        "kernel-source-check",
        "packets must come from where answers would go; on hosts with Docker from any known way",
        "Forged sender addresses are dropped.",
        "sysctl -a -r 'net.ipv4.conf.*.rp_filter'",
        _source_check,
    ),
    Measure(
        "kernel-network",
        "no redirects, no source routes, SYN cookies, and a log of impossible addresses",
        "Neighbours must not change routes of a host, nor exhaust it with half-open connections.",
        "sysctl -a -r 'net.ipv[46].conf.*(redirects|source_route|martians)'",
        partial(_set, NETWORK),
    ),
    Measure(
        "kernel-addresses",
        "addresses of the kernel, its log and its counters are for root alone; addresses are random",
        "Exploits need to know where things are in memory.",
        "sysctl kernel.kptr_restrict kernel.dmesg_restrict kernel.perf_event_paranoid",
        partial(_set, ADDRESSES),
    ),
    Measure(
        "kernel-debugging",
        "a process may be traced by its parents alone",
        "A taken process must not read secrets from other processes of its account.",
        "sysctl kernel.yama.ptrace_scope",
        partial(_set, {"kernel.yama.ptrace_scope": "1"}),
    ),
    Measure(
        "kernel-links",
        "links and files of others in directories like /tmp are not followed or opened",
        "Programs with more rights must not be led to files that they should not write.",
        "sysctl -a -r 'fs.protected_'",
        partial(_set, LINKS),
    ),
    Measure(
        "kernel-bpf",
        "BPF is for root alone, and what it compiles is hardened",
        "Its verifier had many errors that gave root to any account.",
        "sysctl kernel.unprivileged_bpf_disabled net.core.bpf_jit_harden",
        partial(_set, BPF),
    ),
    Measure(
        "kernel-console",
        "no magic keys, and no kernel modules that a terminal asks for",
        "Who reaches a console must not control the kernel from there.",
        "sysctl kernel.sysrq dev.tty.ldisc_autoload",
        partial(_set, CONSOLE),
    ),
    Measure(
        "kernel-core-dumps",
        "the kernel writes no core dumps",
        "A dump holds the secrets of a process in a file.",
        "sysctl fs.suid_dumpable kernel.core_pattern",
        partial(_set, DUMPS),
    ),
    Measure(
        "kernel-modules",
        f"modules that are never loaded, in {MODULES}",
        "Code that nobody needs is code that nobody looks after.",
        "modprobe --showconfig | grep -w install",
        _modules,
    ),
)
