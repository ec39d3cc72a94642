"""The address that edge hosts share (VRRP), and the check by which a host gives it up."""

from ipaddress import IPv4Interface, ip_address, ip_interface

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.plan.desired import Desired, Directory, File, Unit, User

DIRECTORY = "/etc/keepalived"
CONFIG = f"{DIRECTORY}/keepalived.conf"
CHECK = f"{DIRECTORY}/edge-answers"  # each folder above it must be closed to others, or Keepalived refuses it
USER = "keepalived_script"  # Keepalived runs scripts as this user if there is one
FIRST_PRIORITY = 200  # of the first edge host of the inventory


def plan(env: Environment, host: Host) -> Desired:
    """Keepalived on every edge host; nothing where no address is shared."""
    shared = shared_address(env)
    if not shared:
        return Desired()
    setting, peers = host.setting, [each for each in env.group("edge") if each.name != host.name]
    if not setting.keepalived_interface:
        raise OperatorError(
            f"keepalived_address is {shared}, and keepalived_interface is empty for {host.name}: name the interface "
            "that gets the address, as `ip address` shows it"
        )
    if "0.0.0.0" not in setting.nginx_listen_addresses:
        raise OperatorError(
            f"keepalived_address is {shared}, and Nginx on {host.name} listens on "
            f"{', '.join(setting.nginx_listen_addresses)} alone: add 0.0.0.0 to nginx_listen_addresses"
        )
    order = [each.name for each in env.group("edge")].index(host.name)
    config = env.render(
        "keepalived/keepalived.conf.j2",
        host=host, shared=shared, peers=peers, priority=FIRST_PRIORITY - order, check=CHECK, user=USER,
    )  # fmt: skip
    return Desired(
        packages=("keepalived",),
        users=(User(USER, system=True),),
        directories=(Directory(DIRECTORY),),
        files=(
            File(CHECK, env.render("keepalived/edge-answers.j2", port=setting.nginx_status_port), mode=0o755),
            File(CONFIG, config),
        ),
        units=(Unit("keepalived.service", reload_on=(CONFIG,), reload_check="keepalived --config-test"),),
    )


def shared_address(env: Environment) -> IPv4Interface | None:
    """The address that edge hosts share; OperatorError for one that they cannot share."""
    given = str(env.setting.keepalived_address)
    if not given:
        return None
    wrong, shared = "", None
    try:
        shared = ip_interface(given)
    except ValueError as error:
        wrong = str(error)
    edges = env.group("edge")
    if shared and (not isinstance(shared, IPv4Interface) or "/" not in given):
        wrong = "it must be an IPv4 address with its prefix, such as 198.51.100.10/24"
    elif shared and (taken := [host.name for host in env.hosts if ip_address(host.address) == shared.ip]):
        wrong = f"it is the address of {taken[0]}"
    elif shared and (away := [host.name for host in edges if ip_address(host.address) not in shared.network]):
        wrong = f"{away[0]} is not in its network {shared.network}"
    elif env.setting.provider == "aws":
        wrong = "networks of AWS deliver no address that moves by itself: use records of Route 53, and leave it empty"
    if wrong or not isinstance(shared, IPv4Interface):
        raise OperatorError(f'keepalived_address is "{given}": {wrong}')
    return shared
