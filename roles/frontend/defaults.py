"""Settings of front ends."""

frontend_directory: str = "/srv/nexus-cos/frontends"  # where edge hosts keep builds
frontend_keep: int = 5  # releases of each front end whose files stay on edge hosts, the shown one included
frontend_keep_days: int = 7  # days that files stay at least after their release was replaced
frontend_build: bool = True  # whether runs build front ends that this machine has not built yet
frontend_build_directory: str = ""  # where this machine keeps builds; if empty, ~/.cache/nexus-cos/frontend
frontend_build_seconds: int = 300  # how long one install of packages, or one build, may take
frontend_npm_registry: str = ""  # npm registry that builds install from; npm's own configuration if empty
frontend_watch_seconds: int = 5  # how long a release is watched for missing files before it is recorded
frontend_api_url: str = "/api"  # VITE_API_URL of the platform's own applications
