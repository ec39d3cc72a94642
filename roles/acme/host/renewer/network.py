"""Requests to an authority: those of python3-acme, repeated where an authority asks for it or a connection breaks."""

import time
from collections.abc import Sequence
from typing import Any

import requests
from acme import client, errors, messages
from josepy.errors import DeserializationError

from roles.acme.host.renewer.failure import AwayError, OrderError

WAITS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0)  # seconds before another attempt
FEW = (0.5, 2.0)  # likewise, for a question before an order
BAD_NONCES = 12  # attempts that nonces may cost, without a wait
LONGEST_SECONDS = 30  # a wait that an authority asks for and that is spent here
BUSY = (429, 500, 502, 503, 504)
BROKEN = (requests.RequestException, ValueError, errors.Error, DeserializationError)


class Network(client.ClientNetwork):
    """A connection that survives bad nonces, busy servers and lost answers.

    `verify` is the path of a file with trusted CAs, or True for those of the host.
    """

    last: requests.Response | None = None

    def _send_request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        self.last = None
        self.last = super()._send_request(method, url, *args, **kwargs)
        return self.last

    def get(self, url: str, content_type: str = client.ClientNetwork.JSON_CONTENT_TYPE, **kwargs: Any) -> Any:
        """The answer to a GET; AwayError where none comes."""
        return self._repeated(lambda: super(Network, self).get(url, content_type, **kwargs), url, FEW, repeatable=True)

    def post(self, url: str, obj: Any, *, repeatable: bool = True, **kwargs: Any) -> Any:
        """The answer to a signed request; AwayError where none comes.

        A request that is not `repeatable` is not sent again once it may have been carried out.
        """
        return self._repeated(lambda: self._post_once(url, obj, **kwargs), url, WAITS, repeatable)

    def _repeated(self, send: Any, url: str, pauses: Sequence[float], repeatable: bool) -> Any:
        nonces, waits = 0, iter(pauses)
        while True:
            try:
                return send()
            except messages.Error as error:
                if error.code == "badNonce" and nonces < BAD_NONCES:
                    nonces += 1
                    continue
                if not self._busy():
                    raise
                why = str(error)
            except errors.ConflictError:
                raise  # the account exists
            except BROKEN as error:
                if self.last is None and not repeatable and not _refused(error):
                    raise AwayError(f"{url}: the answer was lost: {_short(error)}") from None
                if self.last is not None and not self._busy():
                    raise OrderError(f"{url} answered {self.last.status_code}, which is not ACME") from None
                why = _short(error)
            self._wait(waits, url, why)

    def _busy(self) -> bool:
        return self.last is not None and self.last.status_code in BUSY

    def _wait(self, waits: Any, url: str, why: str) -> None:
        """Wait before the next attempt; the error to raise where there is none."""
        asked = self.retry_after()
        if asked > LONGEST_SECONDS:
            raise OrderError(f"{url}: {why}", asked)
        seconds = next(waits, None)
        if seconds is None:
            raise AwayError(f"{url} does not answer: {why}")
        time.sleep(max(seconds, asked))

    def retry_after(self) -> float:
        """Seconds that the last answer asks to wait for; 0 if it does not."""
        if self.last is None or "Retry-After" not in self.last.headers:
            return 0.0
        when = client.ClientV2.retry_after(self.last, 0)
        return max(0.0, when.timestamp() - time.time())


def _refused(error: BaseException) -> bool:
    """Whether no connection came about, so that nothing was carried out."""
    return isinstance(error, requests.ConnectionError) and "Failed to establish" in str(error)


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
