"""Proxy: HAProxy on every host of services, with a port for each store that is here."""

testinfra_hosts = ["app"]

PORTS = {
    "postgresql": ("postgresql_proxy_port", "postgresql_proxy_replica_port", "postgresql_proxy_direct_port"),
    "redis": ("redis_proxy_port", "redis_cache_proxy_port"),
    "rabbitmq": ("rabbitmq_proxy_port",),
}


def test_haproxy_is_installed(host):
    assert host.package("haproxy").is_installed


def test_haproxy_runs(host):
    assert host.service("haproxy").is_running
    assert host.service("haproxy").is_enabled


def test_every_store_has_its_port(host, env, setting):
    ports = [setting[port] for store, names in PORTS.items() if env.group(store) for port in names]
    assert [port for port in ports if not host.socket(f"tcp://{env.gateway}:{port}").is_listening] == []


def test_metrics_are_for_the_host_alone(host, address):
    assert host.socket("tcp://127.0.0.1:8405").is_listening
    assert not host.socket(f"tcp://{address}:8405").is_listening
    assert "haproxy_backend_status" in host.check_output("curl -fsS -m 5 http://127.0.0.1:8405/metrics")


def test_configuration_is_valid(host):
    assert host.run("haproxy -c -q -f /etc/haproxy/haproxy.cfg").succeeded


def test_password_is_closed(host):
    config = host.file("/etc/haproxy/haproxy.cfg")
    assert (config.user, config.group, config.mode) == ("root", "haproxy", 0o640)


def test_workers_are_not_root(host):
    assert host.process.filter(user="haproxy", comm="haproxy")
