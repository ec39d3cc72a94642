"""MongoDB: a member of the replica set on every host of the group."""

testinfra_hosts = ["mongodb"]


def test_packages_are_installed(host):
    assert host.package("mongodb-org-server").is_installed
    assert host.package("mongodb-mongosh").is_installed


def test_mongodb_runs(host):
    assert host.service("mongod").is_running
    assert host.service("mongod").is_enabled


def test_mongodb_listens(host, address, setting):
    assert host.socket(f"tcp://{address}:{setting.mongodb_port}").is_listening


def test_mongodb_runs_as_mongodb(host):
    assert host.process.get(user="mongodb", comm="mongod")


def test_mongodb_wants_tls_and_a_password(host):
    config = host.file("/etc/mongod.conf")
    assert config.contains("^ *mode: requireTLS$")
    assert config.contains("^ *authorization: enabled$")


def test_key_of_the_members_is_closed(host):
    key = host.file("/etc/mongod.key")
    assert (key.user, key.group, key.mode) == ("mongodb", "mongodb", 0o400)
