"""Settings of the role hardening."""

# Measures that hosts do without: "NAME" or "NAME: reason". roles/hardening/README.md lists them
hardening_except: list[str] = []
hardening_ssh_auth_tries: int = 3  # keys that one SSH connection may offer: a client with more must name one
hardening_ssh_grace_seconds: int = 30  # time in which an SSH connection must log in
hardening_ssh_rsa_bits: int = 3072  # shorter RSA keys, of hosts and of people, are refused
hardening_banner: str = ""  # text that is shown before a login; empty: none
hardening_password_days_max: int = 365  # age of a password that must be changed; accounts that log in by key have none
hardening_password_tries: int = 5  # wrong passwords before an account's passwords are refused for a while
hardening_password_wait_seconds: int = 900  # that while
hardening_shell_idle_seconds: int = 3600  # time after which a login shell that waits for a command ends
# Kernel modules that are never loaded: protocols and file systems that no role uses
hardening_modules: list[str] = [
    "dccp", "sctp", "rds", "tipc", "ax25", "netrom", "rose", "x25", "appletalk", "decnet", "n_hdlc",
    "cramfs", "freevxfs", "hfs", "hfsplus", "jffs2", "udf",
    "usb-storage", "firewire-core", "thunderbolt",
]  # fmt: skip
hardening_auditd: bool = False  # whether the kernel records changes of accounts, sudo and SSH for auditd
hardening_aide: bool = False  # whether AIDE compares system files with a database each day
