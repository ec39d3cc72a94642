"""A proxy in front of moto's server that does what AWS does and moto does not, and what networks do to callers."""

from __future__ import annotations

import http.client
import random
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ID = re.compile(r"\b(?:vpc|subnet|igw|nat|rtb|sg|vol|i|eipalloc)-[0-9a-f]{8,17}\b")
ACCOUNT = "x-moto-account-id"  # moto has as many accounts as numbers are named
NOT_FOUND = {
    "vpc": "InvalidVpcID.NotFound", "subnet": "InvalidSubnetID.NotFound", "nat": "InvalidNatGatewayID.NotFound",
    "igw": "InvalidInternetGatewayID.NotFound", "rtb": "InvalidRouteTableID.NotFound", "sg": "InvalidGroup.NotFound",
    "vol": "InvalidVolume.NotFound", "i": "InvalidInstanceID.NotFound", "eipalloc": "InvalidAllocationID.NotFound",
}  # fmt: skip
BUSY = {"ec2": "RequestLimitExceeded", "s3": "SlowDown"}
SERVICE = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/")
TAGS = re.compile(r"<Tag><Key>[^<]*</Key><Value>[^<]*</Value></Tag>")


@dataclass(frozen=True)
class Request:
    """A request as the proxy sees it; `action` is EC2's and IAM's own name, or method and path."""

    service: str
    action: str
    form: dict[str, str]
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def reads(self) -> bool:
        return self.action.startswith(("Describe", "List", "Get", "GET", "HEAD"))


@dataclass
class Faults:
    """What goes wrong; all off at first. `stop_at` counts writes from 1; `lost` lets that one be carried out."""

    stop_at: int = 0
    lost: bool = False
    throttled: float = 0.0
    hidden_for: int = 0
    pending_for: int = 0
    random: random.Random = field(default_factory=lambda: random.Random(1))
    requests: list[Request] = field(default_factory=list)
    _hidden: dict[str, int] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _pending: dict[str, int] = field(default_factory=dict)
    _tokens: dict[tuple[str, str], tuple[dict[str, str], tuple[int, dict[str, str], bytes]]] = field(
        default_factory=dict
    )

    @property
    def writes(self) -> list[Request]:
        return [request for request in self.requests if not request.reads]

    @property
    def reads(self) -> list[Request]:
        return [request for request in self.requests if request.reads]

    def error(self, request: Request) -> tuple[int, str] | None:
        """The error that this request gets in place of an answer."""
        if self.throttled and self.random.random() < self.throttled:
            return 503, BUSY.get(request.service, "Throttling")
        text = "\n".join([*request.form.values(), request.path])
        if hidden := [found for found in ID.findall(text) if self._hidden.get(found, 0) >= len(self.requests)]:
            return 400, NOT_FOUND[hidden[0].split("-")[0]]
        if request.action in ("AttachVolume", "AssociateAddress"):
            instance = request.form.get("InstanceId", "")
            if self._pending.get(instance, 0) > 0:
                self._pending[instance] -= 1
                return 400, "IncorrectState" if request.action == "AttachVolume" else "InvalidInstanceID"
        return None

    def learn(self, request: Request, answer: bytes) -> bytes:
        """Take notice of new ids, and show instances as pending."""
        text = answer.decode(errors="replace")
        if request.action.startswith(("Create", "Run", "Allocate")):
            asked = set(ID.findall("\n".join(request.form.values())))
            new = set(ID.findall(text)) - asked - self._seen
            self._hidden |= dict.fromkeys(new, len(self.requests) + self.hidden_for if self.hidden_for else 0)
            self._pending |= {each: self.pending_for for each in new if each.startswith("i-")}
        self._seen |= set(ID.findall(text))
        if request.action == "DescribeInstances":
            for found, left in self._pending.items():
                if left > 0 and found in text:
                    self._pending[found] -= 1
        return answer

    def repeated(self, request: Request) -> tuple[int, dict[str, str], bytes] | str | None:
        """The former answer to a request with the same client token, or the error if the request is another."""
        token = request.form.get("ClientToken", "")
        known = self._tokens.get((request.action, token)) if token else None
        if not known:
            return None
        return known[1] if known[0] == request.form else "IdempotentParameterMismatch"

    def remember(self, request: Request, answer: tuple[int, dict[str, str], bytes]) -> None:
        """Keep an answer for requests with the same client token."""
        if (token := request.form.get("ClientToken")) and answer[0] == 200:
            self._tokens[request.action, token] = (request.form, answer)


class Proxy(ThreadingHTTPServer):
    """The proxy on a port of loopback; `faults` may be replaced at any time."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind, self.faults, self.lock, self.account = port, Faults(), threading.Lock(), ""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a caller that hung up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def handle_any(self) -> None:
        with self.server.lock:
            self._handle()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

    def _handle(self) -> None:
        faults, request = self.server.faults, self._request()
        faults.requests.append(request)
        stops = not request.reads and len(faults.writes) == faults.stop_at
        if stops and not faults.lost:
            self.close_connection = True
            return None
        if problem := faults.error(request):
            return self._answer(*_problem(request, *problem))
        known = faults.repeated(request)
        if isinstance(known, str):
            return self._answer(*_problem(request, 400, known))
        status, headers, body = known or self._forward(request)
        faults.remember(request, (status, headers, body))
        body = faults.learn(request, body)
        if stops:
            self.close_connection = True
            return None
        return self._answer(status, headers, body)

    def _request(self) -> Request:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = SERVICE.search(self.headers.get("Authorization", ""))
        form = {}
        if self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            form = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        action = form.get("Action") or f"{self.command} {self.path}"
        headers = {**dict(self.headers), ACCOUNT: self.server.account}
        return Request(found[1] if found else "", action, form, self.command, self.path, headers, body)

    def _forward(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        answer = _send(self.server.behind, request.method, request.path, request.headers, request.body)
        tags = TAGS.findall(request.body.decode(errors="replace")) if request.service == "s3" else []
        if tags and request.method == "PUT" and not urlsplit(request.path).query:  # moto forgets tags of new buckets
            body = f"<Tagging><TagSet>{''.join(tags)}</TagSet></Tagging>".encode()
            headers = {**request.headers, "Content-Length": str(len(body))}
            _send(self.server.behind, "PUT", f"{request.path}?tagging", headers, body)
        return answer

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _send(port: int, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def _problem(request: Request, status: int, code: str) -> tuple[int, dict[str, str], bytes]:
    text = f"<Error><Code>{code}</Code><Message>said by the fault proxy</Message></Error>"
    if request.service == "ec2":
        text = f"<Response><Errors>{text}</Errors><RequestID>1</RequestID></Response>"
    elif request.service != "s3":
        text = f"<ErrorResponse>{text}<RequestId>1</RequestId></ErrorResponse>"
    return status, {"Content-Type": "text/xml"}, text.encode()
