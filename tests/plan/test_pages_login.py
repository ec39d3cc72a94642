"""The login form in a real browser, at an edge whose gateway asks for logins."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from roles.functional.plan import token
from tests.browser import PHONE, VIEWS, Browser, View
from tests.plan.page_edge import reason_to_skip, shown, visited
from tests.plan.real_edge import Edge

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())
MAIL, PASSWORD = "visitor@example.com", "correct"
GOOD, BAD = token("key", "u-17", time.time()), token("other", "u-17", time.time())
STORED = "nexus-token"  # the key of the token in a tab's storage


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    for edge in shown(tmp_path_factory.mktemp("login"), nginx_auth_request=True):
        edge.played.good, edge.played.users = {GOOD}, {MAIL: PASSWORD}
        yield edge


@pytest.fixture(scope="module")
def browser(edge: Edge) -> Iterator[Browser]:
    yield from visited(edge)


@pytest.mark.parametrize("view", VIEWS, ids=[view.name for view in VIEWS])
def test_a_visitor_logs_in_and_out(edge: Edge, browser: Browser, view: View) -> None:
    with browser.open("/core-os/", view) as opened:
        page = opened.page
        assert "needs a login" in opened.text
        assert opened.wrong("local-login") == []

        page.get_by_label("E-mail").fill(MAIL)
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("alert").wait_for()
        assert page.get_by_role("alert").inner_text() == "E-mail or password is wrong."
        refused = [f"POST {opened.url.removesuffix('/core-os/')}/api/auth/login: status 401"]
        assert opened.wrong("local-login-wrong") == refused

        edge.played.seen.clear()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_text("5 of 5 answer").wait_for()
        assert opened.wrong("local-login-good") == refused
        asked = [fact for fact in edge.played.seen if fact["method"] == "OPTIONS"]
        assert {fact["headers"].get("authorization") for fact in asked} == {f"Bearer {GOOD}"}
        assert "u-17" in {fact["headers"].get("x-user-id") for fact in asked}

        page.reload(wait_until="networkidle")
        assert "You are logged in." in opened.text
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("Password").wait_for()
        assert page.evaluate(f"sessionStorage.getItem('{STORED}')") is None


def test_a_login_that_ended_is_told(browser: Browser) -> None:
    with browser.open("/core-os/", PHONE, tab={STORED: BAD}) as opened:
        opened.page.get_by_text("Your login has ended.").wait_for()
        opened.settle()
        assert "needs a login" in opened.text
        found = opened.wrong("local-login-ended")
        assert found
        assert all(line.startswith("OPTIONS ") and line.endswith(": status 401") for line in found)
