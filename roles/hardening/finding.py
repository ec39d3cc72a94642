"""Findings of Lynis and ssh-audit that stay, each with its reason."""

# Name of the finding, and a part of its text where it has several.
EXPLAINED = {
    ("LYNIS", ""): "Debian's version is the one of the release; security updates come with it",
    ("DEB-0810", ""): "packages change in runs and by security updates, at which nobody reads lists of bugs",
    ("DEB-0811", ""): "the same of lists of changes",
    ("DEB-0831", ""): "needrestart restarts nothing where it is installed; deploys/update.py reboots",
    ("DEB-0880", ""): "sshd takes keys alone and refuses addresses that fail by itself (PerSourcePenalties)",
    ("BOOT-5180", ""): "systemd starts what roles plan",
    ("BOOT-5264", ""): "own units run in sandboxes; units of packages are those of their packages",
    ("KRNL-5788", ""): "a guest of a machine has that machine's kernel",
    ("FILE-6310", ""): "status and alerts watch file systems; partitions are the operator's choice",
    ("NAME-4028", ""): "hosts know each other by /etc/hosts",
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


def explained(name: str, text: str) -> str:
    """Why a finding stays; empty if nothing explains it."""
    return next((why for (known, part), why in EXPLAINED.items() if known == name and part in text), "")
