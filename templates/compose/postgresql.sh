#!/bin/sh
# Starts PostgreSQL: makes its data directory once, brings the accounts of services up to date, then serves by TLS.
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
data=/var/lib/postgresql/data/main
[ -s "$data/PG_VERSION" ] ||
  "$bin/initdb" -D "$data" -U postgres --auth-local=peer --auth-host=reject --encoding=UTF8 --locale=C.UTF-8
printf 'local all postgres peer\nhostssl all all all scram-sha-256\n' >"$data/pg_hba.conf"
cp /run/secrets/tls.key /tmp/tls.key
chmod 600 /tmp/tls.key
rm -f "$data/postmaster.pid" # no other server has this volume
# Without a port, so that nobody takes it for ready.
"$bin/pg_ctl" -D "$data" -w -s -o "-c listen_addresses= -c unix_socket_directories=/tmp" start
psql -h /tmp -U postgres -d postgres -q -X -v ON_ERROR_STOP=1 -f /run/secrets/accounts.sql >/dev/null
"$bin/pg_ctl" -D "$data" -w -s -m fast stop
exec "$bin/postgres" -D "$data" -c "listen_addresses=*" -c unix_socket_directories=/tmp \
  -c ssl=on -c ssl_cert_file=/run/secrets/tls.crt -c ssl_key_file=/tmp/tls.key \
  -c "max_connections=${CONNECTIONS:-200}"
