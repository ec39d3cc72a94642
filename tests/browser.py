"""A real browser: it opens a page of one edge host, and tells what went wrong and what the page looks like.

Debian's Chromium, driven by Playwright; axe-core looks for what people with impairments could not use. The browser
accepts the edge host's certificate alone, once Python has verified it with the environment's authority.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from axe_playwright_python.sync_playwright import Axe
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, sync_playwright

PICTURES = Path(__file__).parents[1] / "reports/pages"
SECONDS = 120  # for a page on a busy machine
SERIOUS = ("serious", "critical")  # as axe-core calls what keeps people out
LISTEN = """
window.policyViolations = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.policyViolations.push(`${event.effectiveDirective} refused ${event.blockedURI || event.sourceFile}`));
"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class View(NamedTuple):
    """How a visitor looks at pages."""

    name: str
    width: int
    height: int
    scheme: str
    is_mobile: bool


DESKTOP = View("desktop", 1280, 800, "light", False)
PHONE = View("phone", 360, 780, "dark", True)
VIEWS = (DESKTOP, PHONE)


@dataclass
class Opened:
    """A page that is open. `complaints` are lines of the console and requests that failed, as they come."""

    page: Page
    url: str
    view: View
    complaints: list[str] = field(default_factory=list)
    status: int = 0

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error of a script: {error}"))
        self.page.on("requestfailed", lambda asked: self.complaints.append(f"{asked.url}: {asked.failure}"))
        self.page.on("response", self._response)
        answer = self.page.goto(self.url, wait_until="networkidle")
        self.status = answer.status if answer else 0

    def _console(self, message: Any) -> None:
        # a failed request has a line of its own, and the status of the page is what the caller compares
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _response(self, answer: Any) -> None:
        if answer.status >= 400 and answer.url != self.url:
            self.complaints.append(f"{answer.request.method} {answer.url}: status {answer.status}")

    @property
    def text(self) -> str:
        """What a visitor reads."""
        return self.page.inner_text("body")

    def settle(self) -> None:
        """Wait until the page asks for nothing more."""
        self.page.wait_for_load_state("networkidle")

    def wrong(self, name: str) -> list[str]:
        """All that is wrong with the page as it is now; its picture is kept as reports/pages/NAME-VIEW.png."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}-{self.view.name}.png", full_page=True)
        found = [*self.complaints, *self.page.evaluate("window.policyViolations")]
        if (beyond := self.page.evaluate(TOO_WIDE)) > 0:
            found.append(f"{beyond} px wider than the screen")
        return found + inaccessible(self.page)


def inaccessible(page: Page) -> list[str]:
    """What axe-core calls serious on a page, with the elements."""
    found = Axe().run(page).response
    assert found["passes"], "axe-core found nothing to look at"
    return [
        f"{rule['id']}: {rule['help']}: {', '.join(str(node['html'])[:200] for node in rule['nodes'])}"
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
    ]


@dataclass(frozen=True)
class Browser:
    """A browser that takes one edge host for the platform's names."""

    chromium: Chromium
    domain: str
    port: int

    @contextlib.contextmanager
    def open(self, path: str, view: View, tab: dict[str, str] | None = None) -> Iterator[Opened]:
        """A page in a window of its own. `tab` is what the tab has stored before."""
        context = self._window(view)
        for name, value in (tab or {}).items():
            context.add_init_script(f"sessionStorage.getItem('{name}') ?? sessionStorage.setItem('{name}', '{value}')")
        port = "" if self.port == 443 else f":{self.port}"
        with contextlib.closing(context):
            yield Opened(context.new_page(), f"https://{self.domain}{port}{path}", view)

    def _window(self, view: View) -> BrowserContext:
        context = self.chromium.new_context(
            viewport={"width": view.width, "height": view.height},
            color_scheme="dark" if view.scheme == "dark" else "light",
            is_mobile=view.is_mobile,
            has_touch=view.is_mobile,
            device_scale_factor=2 if view.is_mobile else 1,
        )
        context.set_default_timeout(SECONDS * 1000)
        context.add_init_script(LISTEN)
        return context


def reason_to_skip() -> str:
    """The reason why no browser can run here; empty if it can."""
    return "" if shutil.which("chromium") else "chromium not installed"


@contextlib.contextmanager
def browser(address: str, port: int, domain: str, authority: str) -> Iterator[Browser]:
    """A browser for the edge host at this address, whose certificate is of this authority (PEM)."""
    words = [
        *("--disable-gpu", "--disable-quic"),
        f"--ignore-certificate-errors-spki-list={_key(address, port, domain, authority)}",
        f"--host-resolver-rules=MAP {domain} {address}, MAP *.{domain} {address}, MAP * ~NOTFOUND",
    ]
    program = shutil.which("chromium")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=words, timeout=SECONDS * 1000)
        with contextlib.closing(chromium):
            yield Browser(chromium, domain, port)


def _key(address: str, port: int, domain: str, authority: str) -> str:
    """The hash of the public key that the edge host shows, after its certificate was verified."""
    context = ssl.create_default_context(cadata=authority)
    raw = socket.create_connection((address, port), SECONDS)
    with raw, context.wrap_socket(raw, server_hostname=domain) as session:
        shown = x509.load_der_x509_certificate(session.getpeercert(True) or b"")
    key = shown.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
