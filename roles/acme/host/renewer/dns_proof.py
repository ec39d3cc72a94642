"""Names proven by TXT records: in a zone whose primary server takes changes by RFC 2136, or in Route 53."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from acme import challenges
from dns import exception, query, rcode, resolver, tsig, update
from dns.name import from_text

from roles.acme.host.renewer.failure import AwayError, OrderError
from roles.acme.host.renewer.proof import Shown
from roles.acme.host.renewer.servers import place, resolver_of

LABEL = "_acme-challenge"
TTL_SECONDS = 60
SECONDS = 10
Records = Mapping[str, Sequence[str]]  # name of a record -> its texts


class Zone(Protocol):
    """A zone that is written to."""

    def add(self, records: Records) -> None:
        """Add texts, and wait until every server of the zone has them."""
        ...

    def remove(self, records: Records) -> None:
        """Remove these texts."""
        ...


class DnsProof:
    """TXT records for as long as the authority asks; names may point into the zone by a CNAME."""

    kind: type[challenges.Challenge] = challenges.DNS01

    def __init__(self, zone: Zone, suffix: str, resolvers: Sequence[str]) -> None:
        self.zone, self.suffix = zone, from_text(suffix)
        self.resolver = resolver_of(resolvers)

    @contextlib.contextmanager
    def shown(self, wanted: Sequence[Shown]) -> Iterator[None]:
        """Write all records, and remove them afterwards, whatever happens."""
        records: dict[str, list[str]] = {}
        for name, challenge, key in wanted:
            records.setdefault(self._target(name), []).append(str(challenge.validation(key)))
        try:
            self.zone.add(records)
            yield
        finally:
            with contextlib.suppress(AwayError, OrderError):  # a leftover record is harmless
                self.zone.remove(records)

    def _target(self, name: str) -> str:
        """The name of the record that counts for a name."""
        asked = f"{LABEL}.{name.removeprefix('*.')}"
        target = from_text(asked)
        try:
            target = self.resolver.resolve(target, "CNAME")[0].target
        except (resolver.NoAnswer, resolver.NXDOMAIN):
            pass  # no delegation
        except exception.DNSException as error:
            raise AwayError(f"DNS does not answer for {asked}: {error}") from None
        if not target.is_subdomain(self.suffix):
            raise OrderError(
                f"{target} is not in the zone {self.suffix} (acme_dns_zone): add the record "
                f"{asked} CNAME {asked}.{self.suffix}"
            )
        return target.to_text()


class UpdatedZone:
    """A zone whose primary server takes changes that are signed with a TSIG key."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.zone, self.wait = config["zone"], float(config["wait_seconds"])
        self.address, self.port = place(config["server"])
        name = from_text(config["key_name"])
        self.algorithm = config["key_algorithm"]
        self.keyring = {name: tsig.Key(name, config["key"], self.algorithm)}

    def add(self, records: Records) -> None:
        """Add texts, and give secondary servers their time."""
        self._send(lambda message, name, text: message.add(name, TTL_SECONDS, "TXT", f'"{text}"'), records)
        time.sleep(self.wait)

    def remove(self, records: Records) -> None:
        """Remove these texts and no other."""
        self._send(lambda message, name, text: message.delete(name, "TXT", f'"{text}"'), records)

    def _send(self, change: Callable[[Any, Any, str], None], records: Records) -> None:
        message = update.UpdateMessage(self.zone, keyring=self.keyring, keyalgorithm=from_text(self.algorithm))
        for name, texts in records.items():
            for text in texts:
                change(message, from_text(name), text)
        try:
            said = rcode.to_text(query.tcp(message, self.address, port=self.port, timeout=SECONDS).rcode())
        except (OSError, exception.Timeout) as error:
            raise AwayError(f"{self.address} does not take the change of {self.zone}: {error}") from None
        except exception.DNSException as error:
            said = str(error)  # such as another key
        if said != "NOERROR":
            raise OrderError(
                f"{self.address} refuses the change of {self.zone}: {said}; check its update policy, acme_dns_zone, "
                "acme_dns_key_name and the secret acme/dns-key"
            )


class Route53Zone:
    """A hosted zone of Route 53."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        import boto3  # only where it is used: it takes long to load

        access, _, secret = config["credentials"].partition(":")
        named = {"aws_access_key_id": access, "aws_secret_access_key": secret} if access else {}
        self.client = boto3.client("route53", region_name="us-east-1", **named)
        self.zone = config["id"]

    def add(self, records: Records) -> None:
        """Set texts, and wait until Route 53 says that all its servers have them."""
        change = self._send("UPSERT", records)
        with _of_aws(self.zone):
            waiter = self.client.get_waiter("resource_record_sets_changed")
            waiter.wait(Id=change, WaiterConfig={"Delay": 5, "MaxAttempts": 24})

    def remove(self, records: Records) -> None:
        """Remove the records."""
        self._send("DELETE", records)

    def _send(self, action: str, records: Records) -> str:
        changes = [
            {
                "Action": action,
                "ResourceRecordSet": {
                    "Name": name,
                    "Type": "TXT",
                    "TTL": TTL_SECONDS,
                    "ResourceRecords": [{"Value": f'"{text}"'} for text in texts],
                },
            }
            for name, texts in records.items()
        ]
        with _of_aws(self.zone):
            reply = self.client.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": changes})
        return str(reply["ChangeInfo"]["Id"])


@contextlib.contextmanager
def _of_aws(zone: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise OrderError(f"Route 53 refuses the change of {zone} (acme_route53_zone): {error}") from None
    except BotoCoreError as error:
        raise AwayError(f"Route 53 does not take the change of {zone}: {error}") from None
