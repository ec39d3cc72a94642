#!/bin/bash
# Health check of a service's container, with shell built-ins alone, since 43 services ask it all day.
# Until readiness was seen once it asks readiness, from then on liveness only: a store's failover must not
# restart the services that use it. Paths come from the image (PROBE_READY, PROBE_LIVE), the port from the secret.
# A service that starts is asked again and again for as many seconds as the first argument says: one check that
# waits costs less than one every second, and whoever depends on the service does not wait for the next one.
WAIT=${1:-0}
PAUSE=0.3
ANSWER=10 STARTING=3 # seconds to answer in
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

# Whether the path answers 2xx within so many seconds; else the reason, which Docker shows in `docker inspect` and
# the run in its summary. The answer's body says what is missing.
ask() {
  local path=$1 seconds=$2 status body='' line
  { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || { reason="nothing listens on port $port"; return 1; }
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$path" >&3
  if ! IFS= read -r -t "$seconds" status <&3; then
    reason="no answer from port $port$path within $seconds s"
  elif [[ $status == HTTP/1.?' 2'* ]]; then
    return 0
  else
    while IFS= read -r -t 2 line <&3; do body=${line:0:1500}; done
    reason="$path answers ${status%$'\r'}: $body"
  fi
  exec 3>&-
  return 1
}

if [[ -e $MARK ]]; then
  ask "${PROBE_LIVE:-/health/live}" "$ANSWER" || { echo "$reason"; exit 1; }
else
  exec 4<> <(:) # nothing ever comes from there: a pause without another program
  until ask "${PROBE_READY:-/health/ready}" "$STARTING"; do
    ((SECONDS < WAIT)) || { echo "$reason"; exit 1; }
    read -r -t "$PAUSE" -u 4
  done
  : >"$MARK"
fi
