#!/bin/sh
# Starts RabbitMQ with TLS alone; the accounts of services are loaded at each start.
set -eu
cat >/tmp/rabbitmq.conf <<CONFIGURATION
listeners.tcp = none
listeners.ssl.default = 5671
ssl_options.cacertfile = /run/secrets/ca.pem
ssl_options.certfile = /run/secrets/tls.crt
ssl_options.keyfile = /run/secrets/tls.key
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
load_definitions = /run/secrets/accounts.json
log.file = false
log.console = true
CONFIGURATION
export RABBITMQ_CONFIG_FILE=/tmp/rabbitmq.conf RABBITMQ_NODENAME=rabbit@localhost
export RABBITMQ_MNESIA_BASE=/var/lib/rabbitmq/data HOME=/var/lib/rabbitmq
exec /usr/lib/rabbitmq/bin/rabbitmq-server
