#!/bin/sh
# Starts MongoDB as a replica set of one member, by TLS alone, and brings the accounts of services up to date.
set -eu
umask 077
export HOME=/tmp
rm -f /tmp/ready
cat /run/secrets/tls.crt /run/secrets/tls.key >/tmp/tls.pem
head -c 48 /dev/urandom | base64 -w 0 >/tmp/members.key # the set has no other member that would have to know it
mongod --dbpath /var/lib/mongodb/data --bind_ip_all --port 27017 --tlsMode requireTLS --tlsDisabledProtocols TLS1_0,TLS1_1 \
  --tlsCertificateKeyFile /tmp/tls.pem --tlsCAFile /run/secrets/ca.pem --tlsAllowConnectionsWithoutCertificates \
  --auth --keyFile /tmp/members.key --setParameter authenticationMechanisms=SCRAM-SHA-256 \
  --replSet "$SET" --wiredTigerCacheSizeGB "$CACHE_GIB" &
server=$!
trap 'kill "$server"' TERM INT
for script in members.js users.js; do
  until mongosh --nodb --norc --quiet --eval "$(cat "/usr/local/lib/$script")" </run/secrets/accounts.json >/dev/null; do
    kill -0 "$server" || exit 1
    sleep 1
  done
done
touch /tmp/ready
wait "$server" || wait "$server" # the first ends when a signal comes, the second when the server has ended
