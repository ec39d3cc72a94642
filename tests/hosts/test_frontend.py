"""Front ends: pages of modules and the portal, as their files are on edge hosts and as clients get them."""

import pytest

from hosts.item import Item
from roles.frontend.plan import planned
from roles.frontend.site import record

testinfra_hosts = ["edge"]
PAGES = "pages of "


def curl(host, env, path, *options):
    """Status and type of the answer of this host's Nginx under the platform's own name."""
    name, port = env.setting.domain, env.setting.nginx_https_port
    words = " ".join(f"'{option}'" for option in options)
    form = "'%{http_code} %{content_type}'"
    # -k: test_edge.py verifies the certificate
    asked = f"--resolve {name}:{port}:127.0.0.1 {words} https://{name}:{port}{path}"
    return host.check_output(f"curl -sSk -m 10 -o /dev/null -w {form} {asked}").split()


@pytest.fixture
def pages(fleet, hostname):
    """{name of a front end: its item} of the host. A run builds them, so which there are is known only now."""
    found = {item.name.removeprefix(PAGES): item for item in fleet.items(hostname, "frontend", PAGES)}
    if not found:
        pytest.skip("no front end is built")
    return found


def test_front_ends_show_their_releases(fleet, host, env, pages):
    """A record may be of another machine's release; then the front end shows any release that is whole."""
    for slug, item in pages.items():
        fleet.want(item)
        link = host.file(f"{env.setting.frontend_directory}/{slug}/current")
        assert link.is_symlink, slug
        assert host.file(f"{link.linked_to}.json").exists, slug
    fleet.checked.update(pages.values())


def test_front_ends_answer(host, env, pages):
    for slug in pages:
        status, kind = curl(host, env, "/" if slug == "portal" else f"/{slug}/", "-HAccept: text/html")[:2]
        assert (status, kind.rstrip(";")) in {("200", "text/html"), ("503", "text/html")}, slug


def test_compressed_files_are_sent_as_they_are(host, env, pages):
    """Each answer has the bytes of the file next to the plain one: Nginx compresses nothing itself."""
    name, port, root = env.setting.domain, env.setting.nginx_https_port, env.setting.frontend_directory
    sums = host.check_output(f"cd {root} && find . -path './*/assets/*.gz' -exec sha256sum {{}} +").splitlines()
    assert sums
    for line in sums:
        digest, path = line.split()
        served = path.removeprefix("./portal/" if path.startswith("./portal/") else "./").removesuffix(".gz")
        url = f"https://{name}:{port}/{served}"
        asked = f"curl -sSkf -m 10 -H 'Accept-Encoding: gzip' --resolve {name}:{port}:127.0.0.1 {url}"
        assert host.check_output(f"{asked} | sha256sum").split()[0] == digest, path


def test_a_missing_file_is_not_a_page(host, env, pages):
    for slug in pages:
        path = "/assets/" if slug == "portal" else f"/{slug}/assets/"
        answer = curl(host, env, f"{path}none-00000000.js", "-HAccept: text/html")
        assert answer[:2] == ["404", "application/json"], slug


@pytest.mark.planned("frontend", prefix="/")
def test_files_of_a_release_belong_to_root(fleet, item: Item):
    host = fleet.machine(item.host)
    if not host.file(f"{item.name}/releases").exists:
        pytest.skip("no release was built for it")
    found = host.check_output(rf"find {item.name} ! -type l \( -perm /022 -o ! -user root \)")
    assert found == ""


def test_configuration_is_next_to_the_build(host, env):
    directory = env.setting.frontend_directory
    for each in planned(env):
        file = host.file(f"{directory}/{each.site.slug}/config.json")
        assert file.exists, f"{each.site.slug}: {record(each.site.slug)}"
        assert file.mode == 0o644
