"""Front ends: pages of modules and the portal, as their files are on edge hosts and as clients get them."""

import pytest

from hosts.item import Item
from roles.frontend.plan import planned
from roles.frontend.site import record

testinfra_hosts = ["edge"]


def curl(host, env, path, *options):
    """Status and type of the answer of this host's Nginx under the platform's own name."""
    name, port = env.setting.domain, env.setting.nginx_https_port
    words = " ".join(f"'{option}'" for option in options)
    form = "'%{http_code} %{content_type}'"
    # -k: test_edge.py verifies the certificate
    asked = f"--resolve {name}:{port}:127.0.0.1 {words} https://{name}:{port}{path}"
    return host.check_output(f"curl -sSk -m 10 -o /dev/null -w {form} {asked}").split()


@pytest.mark.planned("frontend", prefix="pages of ")
def test_a_front_end_shows_its_release(fleet, item: Item, env):
    """A record may be of another machine's release; then the front end shows any release that is whole."""
    host, slug = fleet.machine(item.host), item.name.removeprefix("pages of ")
    link = host.file(f"{env.setting.frontend_directory}/{slug}/current")
    assert link.is_symlink
    assert host.file(f"{link.linked_to}.json").exists


@pytest.mark.planned("frontend", prefix="pages of ")
def test_a_front_end_answers(fleet, item: Item, env):
    slug = item.name.removeprefix("pages of ")
    path = "/" if slug == "portal" else f"/{slug}/"
    status, kind = curl(fleet.machine(item.host), env, path, "-HAccept: text/html")[:2]
    assert (status, kind.rstrip(";")) in {("200", "text/html"), ("503", "text/html")}


@pytest.mark.planned("frontend", prefix="pages of ")
def test_a_missing_file_is_not_a_page(fleet, item: Item, env):
    slug = item.name.removeprefix("pages of ")
    path = "/assets/" if slug == "portal" else f"/{slug}/assets/"
    answer = curl(fleet.machine(item.host), env, f"{path}none-00000000.js", "-HAccept: text/html")
    assert answer[:2] == ["404", "application/json"]


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
