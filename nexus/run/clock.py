"""Clock check between this machine and its hosts: certificates and tokens are made here and used there."""

from nexus.error import OperatorError

SECONDS = 120.0  # tolerance: an answer takes less; certificates and tokens made here tolerate more


def check(name: str, ahead: float) -> None:
    """Raise OperatorError if a host's clock is too far ahead of this machine's clock, or too far behind it.

    `ahead` is in seconds, and negative if the host's clock is behind.
    """
    if abs(ahead) > SECONDS:
        raise OperatorError(
            f"the clock of {name} is {_words(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} this machine's: "
            "certificates made here would not be valid there. Set the wrong one (timedatectl)"
        )


def _words(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
