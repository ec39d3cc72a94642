"""Debian's docker-registry on the first ops host: TLS with the host's leaf, two logins used in turn.

The role `image` fills it; the role `docker` holds the hosts' login.
"""

import base64
import hashlib
import hmac

import bcrypt

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, Unit, User
from roles.certificate.plan import KEY, KEY_GROUP, LEAF

CONFIG = "/etc/docker/registry/config.yml"
IN_ORDER = ("docker-registry",)
PASSWORDS = "/etc/docker/registry/htpasswd"
UNIT = "docker-registry.service"
METRICS_PORT = 5001  # on loopback
ACCOUNT = "docker-registry"  # the package makes it, and its storage directory


def registry_host(env: Environment) -> Host | None:
    """The host that holds the registry; None where the environment has no ops host."""
    return next(iter(env.group("ops")), None)


def registry_name(env: Environment) -> str:
    """`host:port` at the beginning of image names; empty where the environment has no registry."""
    if env.setting.registry_name:
        return str(env.setting.registry_name)
    host = registry_host(env)
    return f"{host.name}:{env.setting.registry_port}" if host else ""


def repository(env: Environment, image: str) -> str:
    """Full name of an image without its tag, such as `ops1:5000/nexus-cos/auth-service`."""
    return f"{registry_name(env)}/nexus-cos/{image}"


def login(env: Environment) -> tuple[str, str]:
    """User and password at the registry that hosts use now."""
    return env.login("registry", str(env.setting.registry_user))


def htpasswd(user: str, password: str) -> str:
    """One line for the registry, the same in each run: its salt is derived from the password.

    The password is generated and long, so the lowest bcrypt cost protects it as well as the highest would.
    The registry verifies it for each request of a push or pull, which a high cost would make slow.
    """
    derived = hmac.digest(password.encode(), b"registry salt", hashlib.sha256)[:16]
    salt = base64.b64encode(derived).rstrip(b"=").translate(_TO_BCRYPT)
    return f"{user}:{bcrypt.hashpw(password.encode(), b'$2b$04$' + salt).decode()}\n"


# bcrypt writes base64 with its own alphabet.
_TO_BCRYPT = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
)


def plan(env: Environment, host: Host) -> Desired:
    """The registry on its host, nothing on the others."""
    if host != registry_host(env):
        return Desired()
    config = env.render(
        "registry/config.yml.j2",
        certificate=LEAF,
        key=KEY,
        passwords=PASSWORDS,
        metrics_port=METRICS_PORT,
        upload_secret=env.secret("registry/upload"),
    )
    storage = Directory(str(env.setting.registry_directory), owner=ACCOUNT, group=ACCOUNT, mode=0o750)
    unit = f"/etc/systemd/system/{UNIT}.d/nexus-cos.conf"
    passwords = [htpasswd(*one) for one in env.logins("registry", str(env.setting.registry_user))]
    return Desired(
        packages=("docker-registry",),
        users=(User(ACCOUNT, groups=(KEY_GROUP,)),),
        directories=(storage,),
        files=(
            File(CONFIG, config, group=ACCOUNT, mode=0o640, secret=True),
            File(PASSWORDS, "".join(passwords), group=ACCOUNT, mode=0o640, secret=True),
            File(unit, env.render("registry/unit.conf.j2")),
        ),
        # Not the passwords: the registry checks their file with every request.
        units=(Unit(UNIT, restart_on=(CONFIG, LEAF, KEY, unit)),),
    )
