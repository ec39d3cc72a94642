"""Measures of sshd.

Runs connect with paramiko, which knows no key exchange that is safe from quantum computers, so one classic exchange
stays. Jump hosts and tunnels to pages on loopback need local forwarding.
"""

from nexus.environment.environment import Environment, Host
from roles.hardening.measure import Measure, Part

KEX = (
    "mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com",
    "curve25519-sha256@libssh.org",
)  # fmt: skip
CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr")
MACS = ("hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com")
HOST_KEYS = (
    "ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", "rsa-sha2-512", "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256", "rsa-sha2-256-cert-v01@openssh.com",
)  # fmt: skip


def _algorithms(env: Environment, host: Host) -> Part:
    return Part(
        ssh={
            "KexAlgorithms": ",".join(KEX),
            "Ciphers": ",".join(CIPHERS),
            "MACs": ",".join(MACS),
            "HostKeyAlgorithms": ",".join(HOST_KEYS),
            "RequiredRSASize": str(host.setting.hardening_ssh_rsa_bits),
        }
    )


def _logins(env: Environment, host: Host) -> Part:
    return Part(
        ssh={
            "MaxAuthTries": str(host.setting.hardening_ssh_auth_tries),
            "LoginGraceTime": str(host.setting.hardening_ssh_grace_seconds),
            "PermitEmptyPasswords": "no",
            "HostbasedAuthentication": "no",
            "IgnoreRhosts": "yes",
            "PermitUserEnvironment": "no",
            "StrictModes": "yes",
            "UsePAM": "yes",
            "DebianBanner": "no",
            "LogLevel": "VERBOSE",  # which key somebody logged in with
        }
    )


def _forwarding(env: Environment, host: Host) -> Part:
    return Part(
        ssh={
            "AllowAgentForwarding": "no",
            "AllowStreamLocalForwarding": "no",
            "AllowTcpForwarding": "local",
            "GatewayPorts": "no",
            "PermitTunnel": "no",
        }
    )


MEASURES = (
    Measure(
        "ssh-algorithms",
        "key exchanges, ciphers, MACs and host keys of sshd, and the shortest RSA key",
        "Recorded sessions must stay unreadable, and host keys must not be forged.",
        "sshd -T | grep -Ei '^(kexalgorithms|ciphers|macs|hostkeyalgorithms|requiredrsasize)'",
        _algorithms,
    ),
    Measure(
        "ssh-logins",
        "how often and how long a connection may try to log in, and by key alone",
        "Guessing must be slow, and no other way in may be opened by accident.",
        "sshd -T | grep -Ei '^(maxauthtries|logingracetime|permitempty|hostbased|ignorerhosts|usepam)'",
        _logins,
    ),
    Measure(
        "ssh-forwarding",
        "no forwarding of agents, sockets, tunnels and remote ports; local ports stay for jump hosts",
        "A taken host must not use the keys of those who log in, nor open ways back to their machines.",
        "sshd -T | grep -Ei '^(allow.*forwarding|gatewayports|permittunnel)'",
        _forwarding,
    ),
)
