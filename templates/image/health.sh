#!/bin/bash
# Health check of a service's container, with shell built-ins alone, since 43 services ask it all day.
# Until readiness was seen once it asks readiness, from then on liveness only: a store's failover must not
# restart the services that use it. Paths come from the image (PROBE_READY, PROBE_LIVE), the port from the secret.
SECRETS=${NEXUS_SECRETS:-/run/secrets}
MARK=${NEXUS_MARK:-/tmp/nexus-ready}

port=${PORT:-}
if [[ -z $port && -r $SECRETS/config ]]; then
  while IFS='=' read -r key value; do
    case $key in
      PORT) port=$value ;;
      PROBE_READY) PROBE_READY=$value ;;
      PROBE_LIVE) PROBE_LIVE=$value ;;
    esac
  done <"$SECRETS/config"
fi
[[ -n $port ]] || { echo "no PORT in the environment or in $SECRETS/config"; exit 1; }

path=${PROBE_READY:-/health/ready}
[[ ! -e $MARK ]] || path=${PROBE_LIVE:-/health/live}

exec 3<>"/dev/tcp/127.0.0.1/$port" || { echo "nothing listens on port $port"; exit 1; }
printf 'GET %s HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$path" >&3
IFS= read -r -t 10 status <&3 || { echo "no answer from port $port$path within 10 s"; exit 1; }
if [[ $status == HTTP/1.?' 2'* ]]; then
  [[ -e $MARK ]] || : >"$MARK"
  exit 0
fi
# The answer's body says what is missing: Docker shows it in `docker inspect` and the run's summary.
body=
while IFS= read -r -t 2 line <&3; do body=${line:0:1500}; done
echo "$path answers ${status%$'\r'}: $body"
exit 1
