"""Why an order failed, and when another one may be made."""

from nexus.agent.lib import RemoteError


class OrderError(RemoteError):
    """An order was refused, or a name could not be proven; `again` is how many seconds the authority wants to wait."""

    def __init__(self, text: str, again: float = 0) -> None:
        super().__init__(text)
        self.again = again


class AwayError(RemoteError):
    """The authority does not answer, or is busy: asking again costs nothing."""
