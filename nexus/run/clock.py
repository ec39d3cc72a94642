"""Whether this machine and its hosts agree on the time: certificates and tokens are made here and used there."""

from nexus.error import OperatorError

SECONDS = 120.0  # apart: more than an answer takes, less than anything that is made here tolerates


def check(name: str, ahead: float) -> None:
    """OperatorError where the clock of a host is so many seconds ahead of this machine's, or behind it."""
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
