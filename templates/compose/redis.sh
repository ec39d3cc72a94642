#!/bin/sh
# Starts Redis with TLS alone and one user for each service.
set -eu
exec redis-server --bind 0.0.0.0 --port 0 --tls-port 6379 --tls-auth-clients no \
  --tls-cert-file /run/secrets/tls.crt --tls-key-file /run/secrets/tls.key --tls-ca-cert-file /run/secrets/ca.pem \
  --aclfile /run/secrets/users.acl --dir /var/lib/redis/data --appendonly "${APPEND:-yes}" \
  --maxmemory-policy "${POLICY:-noeviction}"
