"""Settings of load tests. The phases and the objectives are those of operations.yaml."""

load_test_path: str = "/api/ledger/balance/load-test"  # what is asked at api.DOMAIN: it answers 2xx and changes nothing
load_test_rate_percent: int = 100  # requests a second, in percent of those of the phases
load_test_seconds_percent: int = 100  # time, in percent of that of the phases
load_test_connections: int = 100  # connections to each edge host; a request that finds none free waits for one
load_test_asks: bool = True  # whether a load test wants confirm=ENV: true where the environment has users
