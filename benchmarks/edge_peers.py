"""The two ways that our edge is compared with: their configurations, as their manuals begin."""

from __future__ import annotations

NGINX_PORT, HAPROXY_PORT = 18443, 18444

NGINX = """\
worker_processes auto;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{
    worker_connections 4096;
}}
http {{
    access_log {directory}/access.log;
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        "" close;
    }}
    server {{
        listen {port} ssl{http2_parameter};
        {http2_directive}
        ssl_certificate {directory}/both.pem;
        ssl_certificate_key {directory}/both.pem;
        ssl_session_cache shared:tls:1m;
        location / {{
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_pass http://{task};
        }}
    }}
}}
"""

HAPROXY = """\
global
    maxconn 4096
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
frontend edge
    bind :{port} ssl crt {directory}/both.pem alpn h2,http/1.1
    default_backend task
backend task
    server task {task}
"""


def nginx(directory: str, task: str, *, directive: bool = True, port: int = NGINX_PORT) -> str:
    """nginx.conf; `directive` as the setting nginx_http2_directive."""
    return NGINX.format(
        directory=directory,
        port=port,
        task=task,
        http2_parameter="" if directive else " http2",
        http2_directive="http2 on;" if directive else "",
    )


def haproxy(directory: str, task: str, port: int = HAPROXY_PORT) -> str:
    """haproxy.cfg."""
    return HAPROXY.format(directory=directory, port=port, task=task)
