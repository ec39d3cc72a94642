"""Findings of Lynis and ssh-audit that stay, each with its reason."""

from nexus.environment.environment import Environment, Host
from roles.hardening.measures import taken_back

# Name of the finding, and a part of its text where it has several.
EXPLAINED = {
    ("LYNIS", ""): "Debian's version is the one of the release; security updates come with it",
    ("DEB-0280", ""): "daemons have a /tmp of their own, and commands as another account would inherit a closed one",
    ("DEB-0810", ""): "packages change in runs and by security updates, at which nobody reads lists of bugs",
    ("DEB-0811", ""): "the same of lists of changes",
    ("DEB-0831", ""): "needrestart restarts nothing where it is installed; deploys/update.py reboots",
    ("DEB-0880", ""): "sshd takes keys alone and refuses addresses that fail by itself (PerSourcePenalties)",
    ("BOOT-5180", ""): "systemd starts what roles plan",
    ("BOOT-5264", ""): "own units run in sandboxes; units of packages are those of their packages",
    ("KRNL-5788", ""): "a guest of a machine has that machine's kernel",
    ("AUTH-9284", ""): "accounts that log in by key have no password, so theirs is locked",
    ("HOME-9304", ""): "the measure homes closes those of people; PostgreSQL's has its data in a closed directory",
    ("KRNL-6000", "kernel.core_uses_pid"): "nothing writes core dumps",
    ("KRNL-6000", "kernel.ctrl-alt-del"): "systemd decides what these keys do; a guest shows its machine's value",
    ("KRNL-6000", "kernel.modules_disabled"): "Docker, the firewall and mounts load modules while a host runs",
    ("KRNL-6000", "net.ipv4.conf.all.forwarding"): "Docker forwards packets; kernel-forwarding is for other hosts",
    ("KRNL-6000", "net.ipv4.conf.all.rp_filter"): "with Docker, packets may come from any known way",
    ("FILE-6310", ""): "status and alerts watch file systems; partitions are the operator's choice",
    ("NAME-4028", ""): "hosts know each other by /etc/hosts",
    ("PKGS-7370", ""): "the scan itself compares programs with their packages",
    ("PKGS-7394", ""): "deploys/security.py tells which updates wait",
    ("PKGS-7420", ""): "apt_security_updates decides; deploys/update.py updates",
    ("FIRE-4513", ""): "Docker and the firewall make rules that wait for their packets",
    ("SSH-7408", "AllowTcpForwarding"): "jump hosts, and pages on loopback",
    ("SSH-7408", "ClientAlive"): "a run that its operator pauses must find its connection again",
    ("SSH-7408", "TCPKeepAlive"): "it ends connections of clients that are gone",
    ("SSH-7408", "MaxSessions"): "a run opens many channels of one connection",
    ("SSH-7408", "Port"): "another port hides nothing from those who scan",
    ("LOGG-2154", ""): "the log forwarder sends all lines to the log store",
    ("ACCT-9622", ""): "sudo's log and the journal say who did what",
    ("ACCT-9626", ""): "Prometheus keeps these figures",
    ("ACCT-9628", ""): "hardening_auditd is a choice: auditd needs a kernel of its own",
    ("BANN-7126", ""): "hardening_banner is a choice",
    ("BANN-7130", ""): "the same",
    ("CONT-8104", ""): "the role docker compares the engine with its plan",
    ("FINT-4350", ""): "hardening_aide is a choice",
    ("TOOL-5002", ""): "this project is the tool",
    ("HRDN-7230", ""): "hosts take in no files of people; images and packages are verified",
    ("curve25519-sha256@libssh.org", ""): "paramiko, with which runs connect, knows no exchange that is post-quantum",
}


def explained(env: Environment, host: Host, name: str, text: str) -> str:
    """Why a finding stays on a host; empty if nothing explains it."""
    why = next((why for (known, part), why in EXPLAINED.items() if known == name and part in text), "")
    return why or next((why for key, why in _without(env, host).items() if f"{key} " in text), "")


def _without(env: Environment, host: Host) -> dict[str, str]:
    """{kernel setting: reason} of measures that were taken back with a reason."""
    return {key: taken.why for taken in taken_back(host) for key in taken.measure.part(env, host).sysctl if taken.why}
