"""The parts of operations.yaml that are rules for people: sign-in, daily checks, escalation, networks."""

from typing import Literal

from nexus.catalogue import types


class Escalation(types.Entry):
    """After how many minutes more people are told of an unresolved incident."""

    unresolved_minutes: types.Count
    p1_executive_mail_minutes: types.Count
    p1_customer_notice_minutes: types.Count
    p2_mail_minutes: types.Count


class PasswordPolicy(types.Entry):
    """What a password must have, and how it is kept."""

    hash: Literal["bcrypt", "argon2id", "scrypt"]
    rounds: types.Count
    min_length: types.Count
    needs: tuple[Literal["upper", "lower", "digit", "special"], ...]
    history: types.Whole


class Lockout(types.Entry):
    """After how many failed attempts an account is locked, and for how long."""

    attempts: types.Count
    minutes: types.Count


class Jwt(types.Entry):
    """Tokens: how they are signed and how long they are valid."""

    algorithm: Literal["HS256", "HS384", "HS512"]
    access_minutes: types.Count
    refresh_days: types.Count
    rotate_refresh: bool
    issuer: types.Word
    audience: types.Word


class SessionPolicy(types.Entry):
    """Sessions of one user."""

    max_per_user: types.Count
    idle_minutes: types.Count
    absolute_hours: types.Count
    ttl_seconds: types.Count


class TwoFactor(types.Entry):
    """The second factor."""

    totp: bool
    backup_codes: types.Whole


class AuthPolicy(types.Entry):
    """Rules of sign-in."""

    password: PasswordPolicy
    lockout: Lockout
    jwt: Jwt
    session: SessionPolicy
    two_factor: TwoFactor


class DailyChecks(types.Entry):
    """Names of the daily checks, by time of day."""

    morning: types.Names
    continuous: types.Names
    evening: types.Names
    security: types.Names

    def of(self, time_of_day: str) -> tuple[str, ...]:
        """The checks of one time of day."""
        names: tuple[str, ...] = getattr(self, time_of_day)
        return names


class Network(types.Entry):
    """Networks that the documents name."""

    vpc: types.Text
    public: types.Text
    application: types.Text
    database: types.Text


class Infrastructure(types.Entry):
    """The cluster that the documents describe."""

    zones: types.Few
    network: Network
    in_public_subnet: types.Filled[types.Text]
    staging_nodes: types.Few
    production_nodes_min: types.Few
