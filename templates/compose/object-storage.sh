#!/bin/sh
# Starts object storage: the server on loopback, since not all of its parts ask for credentials, then the bucket of each
# service, and then the port for others, which leads to the part that asks for them.
set -eu
data=/var/lib/seaweedfs/data
secret=$(sed -n 's/.*"secretKey": "\(.*\)".*/\1/p' /run/secrets/identities.json | head -n 1) # the administrator comes first
url=https://127.0.0.1:8333
tls=/tmp/tls # of both, as the server takes them from one directory alone
mkdir -p "$tls"
cp /run/secrets/tls.crt /run/secrets/tls.key "$tls"
chmod 600 "$tls/tls.key"
cd "$data"
weed -logtostderr=true server -dir="$data" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
  -master.telemetry=false -master.electionTimeout=1s -master.volumeSizeLimitMB=1024 \
  -volume.max=0 -volume.preStopSeconds=1 -volume.port=9340 -master.port=9333 \
  -filer -filer.port=9350 -filer.disableDirListing \
  -s3 -s3.port=8333 -s3.ip.bind=127.0.0.1 -s3.port.iceberg=0 -s3.port.lance=0 \
  -s3.config=/run/secrets/identities.json -s3.cert.file="$tls/tls.crt" -s3.key.file="$tls/tls.key" -s3.iam=false \
  -s3.encryptVolumeData -s3.allowEmptyFolder=false &
server=$!
trap 'kill "$server"' TERM INT

# ask WORDS...: the status of the server's answer; the key is not among the words, which other processes could read.
ask() {
  printf 'user = "nexus-admin:%s"\n' "$secret" |
    curl --silent --config - --cacert /run/secrets/ca.pem --max-time 10 --output /tmp/answer --write-out '%{http_code}' \
      --aws-sigv4 "aws:amz:$REGION:s3" "$@" || true
}

for bucket in $BUCKETS; do
  until status=$(ask --request PUT "$url/$bucket") && [ "$status" = 200 ] || [ "$status" = 409 ]; do
    kill -0 "$server" || exit 1
    [ "$status" = 000 ] || echo "bucket $bucket: answered $status" >&2
    sleep 0.5
  done
done
socat "TCP-LISTEN:8333,bind=$HOSTNAME,fork,reuseaddr" TCP:127.0.0.1:8333 &
wait "$server" || wait "$server" # the first ends when a signal comes, the second when the server has ended
