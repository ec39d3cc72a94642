"""Pages of front ends in a real browser, on a large screen and on a phone's: nothing goes wrong, and all can use them.

Pictures are in reports/pages. Builds are those of this machine, as a run makes and keeps them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from roles.frontend import npm
from roles.frontend.builder import build_all, unbuilt
from roles.frontend.plan import planned
from roles.functional.plan import token
from tests import browser as real_browser
from tests.browser import DESKTOP, PHONE, VIEWS, Browser, View
from tests.plan import front_end_host as edge_host
from tests.plan.real_edge import ADDRESS, DOMAIN, Edge, reason_to_skip, running

REASON = reason_to_skip() or real_browser.reason_to_skip()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)
SLUGS = ("portal", "core-os", "gamecore")
MAIL, PASSWORD = "visitor@example.com", "correct"
GOOD, BAD = token("key", "u-17", time.time()), token("other", "u-17", time.time())
STORED = "nexus-token"  # the key of the token in a tab's storage


def shown(directory: Path, **settings: object) -> Iterator[Edge]:
    """An edge that shows real builds, one of them closed; skipped where packages cannot be installed."""
    own = {"frontend_build_directory": "", "nginx_maintenance": ["gamecore"], **settings}
    with running(directory, **own) as edge:
        try:
            build_all(edge.env, [source for source in unbuilt(edge.env) if source.site.slug in SLUGS])
        except npm.NotHere as why:
            pytest.skip(f"front ends cannot be built here: {why}")
        edge_host.deliver(edge.env)
        edge_host.show(edge.env)
        yield edge


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """As most environments have it; to the browser it gives the links of operators."""
    yield from shown(tmp_path_factory.mktemp("edge"), nginx_admin_networks=["127.0.0.1/32"])


@pytest.fixture(scope="module")
def login_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """The gateway asks for logins."""
    for edge in shown(tmp_path_factory.mktemp("login"), nginx_auth_request=True):
        edge.played.good, edge.played.users = {GOOD}, {MAIL: PASSWORD}
        yield edge


@pytest.fixture(scope="module")
def browser(edge: Edge) -> Iterator[Browser]:
    with real_browser.browser(ADDRESS, edge.https, DOMAIN, edge.env.tls.certificate) as found:
        yield found


@pytest.fixture(scope="module")
def login_browser(browser: Browser, login_edge: Edge) -> Browser:
    """The same browser: both edges have the same names and the same certificate."""
    return Browser(browser.chromium, DOMAIN, login_edge.https)


@pytest.mark.parametrize("view", VIEWS, ids=[view.name for view in VIEWS])
@pytest.mark.parametrize(
    ("path", "name", "status", "texts"),
    [
        ("/", "portal", 200, ("Puabo Studio", "1 of 16 is closed", "For operators", "Logs")),
        ("/core-os/", "core-os", 200, ("5 of 5 answer", "internal")),
        ("/core-os/about", "core-os-about", 200, ("About this page", "/api/sessions/")),
        ("/gamecore/", "gamecore-closed", 503, ("GameCore", "being worked on")),
    ],
)
def test_a_page_has_no_faults(
    browser: Browser, view: View, path: str, name: str, status: int, texts: tuple[str, ...]
) -> None:
    with browser.open(path, view) as opened:
        assert opened.wrong(f"local-{name}") == []
        assert opened.status == status
        for text in texts:
            assert text in opened.text


def test_what_is_wrong_is_found(browser: Browser) -> None:
    """The page breaks the policy, fails in a script, asks in vain, is too wide and cannot be read."""
    script = """() => {
      document.body.insertAdjacentHTML('beforeend', '<p style="color: red">x</p><img src="/assets/none.svg">');
      document.querySelector('main').style.width = '3000px';
      const script = document.createElement('script');
      script.textContent = 'go()';
      document.body.append(script);
      setTimeout(() => { throw new Error('broken'); });
      console.error('complaint');
    }"""
    with browser.open("/core-os/", DESKTOP) as opened:
        opened.page.evaluate(script)
        opened.page.wait_for_timeout(500)
        opened.settle()
        found = "\n".join(opened.wrong("local-wrong"))
    for text in (
        "script-src-elem refused inline",
        "style-src-attr refused inline",
        "/assets/none.svg: status 404",
        "error of a script: broken",
        "error: complaint",
        "px wider than the screen",
        "image-alt: ",
    ):
        assert text in found


def test_compressed_files_arrive_as_they_were_built(edge: Edge) -> None:
    """Nginx compresses nothing: each answer has the bytes of the file that was compressed with the build."""
    for each in planned(edge.env):
        if each.site.slug in ("portal", "core-os"):
            assert each.build is not None
            packed = [path for path, piece in each.build.pieces.items() if piece.packed and piece.pooled]
            assert packed
            for path in packed:
                answer = edge.get(each.site.base + path, headers={"Accept-Encoding": "gzip"})
                assert answer.headers.get_all("Content-Encoding") == ["gzip"], path
                assert answer.body == each.build.blob(path), path


@pytest.mark.parametrize("view", VIEWS, ids=[view.name for view in VIEWS])
def test_a_visitor_logs_in_and_out(login_edge: Edge, login_browser: Browser, view: View) -> None:
    with login_browser.open("/core-os/", view) as opened:
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

        login_edge.played.seen.clear()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_text("5 of 5 answer").wait_for()
        assert opened.wrong("local-login-good") == refused
        asked = [fact for fact in login_edge.played.seen if fact["method"] == "OPTIONS"]
        assert {fact["headers"].get("authorization") for fact in asked} == {f"Bearer {GOOD}"}
        assert "u-17" in {fact["headers"].get("x-user-id") for fact in asked}

        page.reload(wait_until="networkidle")
        assert "You are logged in." in opened.text
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("Password").wait_for()
        assert page.evaluate(f"sessionStorage.getItem('{STORED}')") is None


def test_a_login_that_ended_is_told(login_browser: Browser) -> None:
    with login_browser.open("/core-os/", PHONE, tab={STORED: BAD}) as opened:
        opened.page.get_by_text("Your login has ended.").wait_for()
        opened.settle()
        assert "needs a login" in opened.text
        found = opened.wrong("local-login-ended")
        assert found
        assert all(line.startswith("OPTIONS ") and line.endswith(": status 401") for line in found)
