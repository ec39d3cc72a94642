"""Settings of the grafana role. Debian has no Grafana, so these name the vendor's repository."""

grafana_enabled: bool = False  # whether ops hosts run Grafana; off, because not every host reaches its repository
grafana_apt_url: str = "https://apt.grafana.com"  # the vendor's repository, or a mirror
grafana_key_url: str = "https://apt.grafana.com/gpg.key"  # the address of the vendor's signing key
grafana_key_file: str = "group_data/keys/grafana.asc"  # the armoured key's path, relative to the project
grafana_version: str = "11.6.*"  # versions that apt may install; dashboards are written for 11.6
grafana_port: int = 3000  # the port of Grafana on each ops host, on loopback; operators reach it by `ssh -L`
