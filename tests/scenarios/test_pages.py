"""Every page of the platform in a real browser, on a large screen and on a phone's, at every edge host."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator

import pytest
from conftest import Figure
from control import Control

from roles.frontend.plan import planned
from roles.functional.plan import token
from tests.browser import DESKTOP, PHONE, VIEWS, Browser, View, browser, reason_to_skip

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())
CLOSED = "gamecore"
MESSAGE = "Back at noon."
STORED = "nexus-token"  # the key of the token in a tab's storage


@contextlib.contextmanager
def visited(control: Control, edge: str) -> Iterator[Browser]:
    """A browser for one edge host."""
    env = control.planned
    address, port = control.lab.host(edge).address, int(env.setting.nginx_https_port)
    with browser(address, port, str(env.setting.domain), env.tls.certificate) as found:
        yield found


def paths(control: Control) -> dict[str, str]:
    """{name of a page: its path} of all front ends, and the page about one."""
    pages = {each.site.slug: each.site.base for each in planned(control.planned)}
    return {**pages, "core-os-about": f"{pages['core-os']}about"}


def wrong(opened: Browser, name: str, path: str, view: View, status: int = 200) -> list[str]:
    """What is wrong with a page, with its name and view before it."""
    with opened.open(path, view) as page:
        found = page.wrong(name)
        if page.status != status:
            found.append(f"status {page.status}, expected {status}")
        if "does not answer" in page.text:
            found.append("a service does not answer")
    return [f"{name} on a {view.name}: {line}" for line in found]


def test_pages_have_no_faults(platform: Control, chance: random.Random, figure: Figure) -> None:
    """A sample: the portal on a phone, one module on both."""
    found = paths(platform)
    assert len(found) >= 17
    slug = chance.choice(sorted(set(found) - {"portal", CLOSED}))
    with visited(platform, platform.group("edge")[0]) as opened:
        faults = wrong(opened, "portal", found["portal"], PHONE)
        faults += [line for view in VIEWS for line in wrong(opened, slug, found[slug], view)]
    figure("pages: faults in a sample", len(faults))
    assert faults == []


@pytest.mark.full
def test_all_pages_have_no_faults(platform: Control, figure: Figure) -> None:
    found, faults = paths(platform), []
    assert len(found) >= 17
    for edge in platform.group("edge"):
        with visited(platform, edge) as opened:
            for name, path in found.items():
                faults += [f"{edge}: {line}" for view in VIEWS for line in wrong(opened, name, path, view)]
    figure("pages: faults on all pages in both views", len(faults))
    assert faults == []


@pytest.mark.full
def test_a_closed_page_has_no_faults(platform: Control) -> None:
    data = {"module": CLOSED, "message": MESSAGE}
    try:
        done = platform.run(deploy="deploys/maintenance.py", data=data)
        assert done.status == 0, done.end
        with visited(platform, platform.group("edge")[0]) as opened:
            for view in VIEWS:
                assert wrong(opened, f"{CLOSED}-closed", f"/{CLOSED}/", view, status=503) == []
                assert wrong(opened, "portal-closed", "/", view) == []
            with opened.open("/", DESKTOP) as portal:
                assert MESSAGE in portal.text
    finally:
        done = platform.run(deploy="deploys/maintenance.py", data={"module": CLOSED, "back": True})
    assert done.status == 0, done.end


@pytest.mark.full
def test_pages_ask_services_with_the_token_of_a_login(platform: Control) -> None:
    """Good tokens are the environment's own: its reference services take no passwords."""
    try:
        platform.converged({"nginx_auth_request": True})
        good = token(platform.planned.secret("service/jwt"), "scenario", time.time())
        with visited(platform, platform.group("edge")[0]) as opened:
            for view in VIEWS:
                assert wrong(opened, "core-os-login", "/core-os/", view) == []
            with opened.open("/core-os/", PHONE, tab={STORED: good}) as page:
                assert page.wrong("core-os-logged-in") == []
                assert "5 of 5 answer" in page.text
            with opened.open("/core-os/", PHONE, tab={STORED: token("not the key", "scenario", time.time())}) as page:
                page.page.get_by_text("Your login has ended.").wait_for()
            with opened.open("/core-os/", PHONE) as page:
                page.page.get_by_label("E-mail").fill("visitor@example.com")
                page.page.get_by_label("Password").fill("wrong")
                page.page.get_by_role("button", name="Log in").click()
                page.page.get_by_role("alert").wait_for()
                assert page.page.get_by_role("alert").inner_text() == "The answer has no token."
    finally:
        platform.converged()
