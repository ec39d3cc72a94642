"""Calls to AWS: retried where an error says that nothing was done, and counted.

An answer that was lost is not asked for again: the call may have been carried out, and the next run finds out.
"""

import re
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError, NoRegionError

from nexus.error import nearest
from nexus.provider.aws.model import AwsError, Call, Ref, Wait, at, resolved

PATIENCE_SECONDS = 60.0
BUSY = re.compile(r"RequestLimitExceeded|Throttl|TooManyRequests|SlowDown|PriorRequestNotComplete|RequestThrottled")
# What was just created is not known everywhere at once, and what is being started or removed is not ready.
EARLY = re.compile(
    r"NotFound$|^NoSuchEntity$|^IncorrectState$|^IncorrectInstanceState$|^InvalidInstanceID$|^DependencyViolation$"
    r"|^VolumeInUse$|\.InUse$|^DeleteConflict$|^OperationAborted$|^NoSuchBucket$|^InvalidAddress\.Locked$"
)
GONE = re.compile(r"NotFound$|^NoSuch|^InvalidAssociationID")
PROFILE = "Invalid IAM Instance Profile"
STATE, ENDED = ("Instances", 0, "State", "Name"), ("terminated", "shutting-down")
READS = ("describe_", "list_", "get_")


class Cloud:
    """One region of one account. `clock` and `sleep` are those of time, or of a test."""

    def __init__(
        self,
        region: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.region, self._clock, self._sleep, self._patience = region, clock, sleep, patience
        self._clients: dict[str, Any] = {}

    @cached_property
    def _session(self) -> Any:
        session = boto3.Session()
        _check_region(session, self.region)
        if session.get_credentials() is None:
            raise AwsError(
                "no credentials for AWS: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run this "
                "on a machine with an instance profile"
            )
        return session

    def read(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        """Return the answer to a question, all pages of it; ClientError as boto3 raises it."""
        client = self._client(service)
        if not client.can_paginate(operation):
            return self._attempt(service, operation, parameters, _busy)
        pages = client.get_paginator(operation).paginate(**parameters)
        return self._attempt(service, operation, parameters, _busy, pages.build_full_result)

    def ask(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        """Return the answer to a question; None if it is about something that does not exist."""
        try:
            return self.read(service, operation, parameters)
        except ClientError as error:
            if GONE.search(code(error)):
                return None
            raise told(error, f"{service} {operation}") from None

    def carry_out(self, call: Call, known: dict[Ref, str]) -> None:
        """Make one call, and add the id of what it creates to `known`. AwsError says what AWS answered."""
        parameters = resolved(call.parameters, known)
        passes = _busy_or_going if call.gone_is_done else _busy_or_early
        try:
            answer = self._attempt(call.service, call.operation, parameters, passes)
        except ClientError as error:
            if call.gone_is_done and GONE.search(code(error)):
                return
            raise told(error, call.words) from None
        known |= {
            ref: str(at(answer, path)).removeprefix("/hostedzone/")
            for ref, path in ((call.gives, call.path), *call.more)
            if ref
        }
        if call.operation == "run_instances" and at(answer, STATE) in ENDED:
            raise AwsError(f"{call.words}: AWS answered with one that has ended: raise the host's aws_generation")
        if call.wait:
            self._wait(call, call.wait, known)

    def _wait(self, call: Call, wait: Wait, known: Mapping[Ref, str]) -> None:
        end = self._clock() + wait.seconds
        parameters = resolved(wait.parameters, known)
        while True:
            try:
                answer = self._attempt(call.service, wait.operation, parameters, _busy if wait.gone else _busy_or_early)
            except ClientError as error:
                if wait.gone and GONE.search(code(error)):
                    return
                raise told(error, call.words) from None
            if (state := at(answer, wait.path)) == wait.value or (wait.gone and state is None):
                return
            if self._clock() > end:
                raise AwsError(f"{call.words}: still {state} after {wait.seconds} s. Rerun once it is {wait.value}")
            self._sleep(2)

    def _attempt(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        passes: Callable[[ClientError], bool],
        ask: Callable[[], Any] | None = None,
    ) -> Any:
        """Make a call, and again while its error passes by itself, for at most the patience of this cloud."""
        client = self._client(service)
        end, pause = self._clock() + self._patience, 0.2
        while True:
            try:
                return ask() if ask else getattr(client, operation)(**parameters)
            except ClientError as error:
                if not passes(error) or self._clock() + pause > end:
                    raise
            except NoCredentialsError as error:
                raise AwsError(f"no credentials for AWS: {error}") from None
            except HTTPClientError as error:
                if not operation.startswith(READS) or self._clock() + pause > end:
                    raise AwsError(_lost(service, operation, error)) from None
            except BotoCoreError as error:
                raise AwsError(f"{service} {operation}: {error}") from None
            self._sleep(pause)
            pause = min(pause * 2, 5.0)

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            once = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60)
            try:
                self._clients[service] = self._session.client(service, region_name=self.region, config=once)
            except NoRegionError as error:
                raise AwsError(f"aws_region: {error}") from None
        return self._clients[service]


def _check_region(session: Any, region: str) -> None:
    known = session.get_available_regions("ec2")
    if region not in known:
        raise AwsError(f'aws_region is "{region}", and AWS has no such region{nearest(region, known)}')
    if session.region_name and session.region_name != region:
        raise AwsError(
            f"AWS_REGION, AWS_DEFAULT_REGION or the profile names the region {session.region_name}, and the setting "
            f"aws_region names {region}: change one of them"
        )


def _busy(error: ClientError) -> bool:
    return bool(BUSY.search(code(error)))


def _busy_or_early(error: ClientError) -> bool:
    return _busy(error) or bool(EARLY.search(code(error))) or PROFILE in str(error)


def _busy_or_going(error: ClientError) -> bool:
    """Like the former, for a call that removes something: what is gone does not come back."""
    return _busy_or_early(error) and not GONE.search(code(error))


def _lost(service: str, operation: str, error: Exception) -> str:
    if operation.startswith(READS):
        return f"AWS does not answer {service} {operation}: {error}"
    return f"no answer to {service} {operation}, and it may have been carried out: rerun, which finds out ({error})"


def code(error: ClientError) -> str:
    """Return the code of an error of AWS."""
    return str(error.response["Error"].get("Code", ""))


def told(error: ClientError, what: str) -> AwsError:
    """Return an error of AWS as one of ours."""
    if "IdempotentParameterMismatch" in code(error):
        return AwsError(
            f"{what}: the same was asked for with other settings a short time ago, and AWS keeps to that. Undo the "
            "change of settings, or raise the host's aws_generation"
        )
    return AwsError(f"{what}: {code(error)}: {error.response['Error'].get('Message', '')}")
