"""Images: the registry's host has one of every service, and of the router, at the planned release."""

testinfra_hosts = ["ops[0]"]

KEPT = "docker/registry/v2/repositories/nexus-cos"


def test_every_service_has_an_image(host, env, setting):
    found = host.file(f"{setting.registry_directory}/{KEPT}").listdir()
    assert {"router", *env.catalogue.services} <= set(found)


def test_router_has_its_release(host, setting):
    assert host.file(f"{setting.registry_directory}/{KEPT}/router/_manifests/tags/{setting.release}").is_directory


def test_builder_is_installed(host, setting):
    assert host.package("mmdebstrap").is_installed or setting.image_base


def test_builds_have_their_directory(host):
    directory = host.file("/var/lib/nexus-cos/image")
    assert (directory.user, directory.mode) == ("root", 0o711)
