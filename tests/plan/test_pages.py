"""Pages of front ends in a real browser, on a large screen and on a phone's: nothing goes wrong, and all can use them.

Pictures are in reports/pages.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from roles.frontend.plan import planned
from tests.browser import DESKTOP, VIEWS, Browser, View
from tests.plan.page_edge import reason_to_skip, shown, visited
from tests.plan.real_edge import Edge

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """As most environments have it; to the browser it gives the links of operators."""
    yield from shown(tmp_path_factory.mktemp("edge"), nginx_admin_networks=["127.0.0.1/32"])


@pytest.fixture(scope="module")
def browser(edge: Edge) -> Iterator[Browser]:
    yield from visited(edge)


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
      document.querySelector('main').style.minWidth = '3000px';
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
