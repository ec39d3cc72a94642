#!/bin/bash
# Health check of a service's container, with shell built-ins alone, since 43 services ask it all day:
#   nexus-health [START [WATCH [PERIOD [ANSWER]]]], all in seconds
# Until readiness was seen once it asks readiness, from then on liveness only: a store's failover must not
# restart the services that use it. Paths come from the image (PROBE_READY, PROBE_LIVE), the port from the secret.
# One check that goes on costs less than one every few seconds, each of which an engine starts for 40 ms of a core:
# a service that starts is asked again and again for START seconds, and whoever depends on it does not wait for the
# next check; one that was ready is watched for WATCH seconds, a question every PERIOD, and the first that it does
# not answer within ANSWER ends the check. How many such checks make it unhealthy is the engine's to count.
START=${1:-0} WATCH=${2:-0} PERIOD=${3:-10} ANSWER=${4:-5}
PAUSE=0.3
STARTING=3 # seconds to answer in
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
    exec 3>&-
    return 0
  else
    while IFS= read -r -t 2 line <&3; do body=${line:0:1500}; done
    reason="$path answers ${status%$'\r'}: $body"
  fi
  exec 3>&-
  return 1
}

# As `ask`, from a process of its own: a service whose queue is full keeps who connects waiting for two minutes.
ask_beside() {
  local path=$1 seconds=$2 said
  exec 5< <(ask "$path" "$seconds" && echo fine || echo "$reason")
  IFS= read -r -t "$((seconds + 3))" said <&5 || { kill "$!"; said="port $port lets nobody in"; } 2>/dev/null
  exec 5<&-
  wait "$!" 2>/dev/null
  reason=$said
  [[ $said == fine ]]
}

exec 4<> <(:) # nothing ever comes from there: a pause without another program
if [[ -e $MARK ]]; then
  while ask_beside "${PROBE_LIVE:-/health/live}" "$ANSWER" || { echo "$reason"; exit 1; }; do
    ((SECONDS + PERIOD <= WATCH)) || exit 0
    read -r -t "$PERIOD" -u 4
  done
else
  until ask "${PROBE_READY:-/health/ready}" "$STARTING"; do
    ((SECONDS < START)) || { echo "$reason"; exit 1; }
    read -r -t "$PAUSE" -u 4
  done
  : >"$MARK"
fi
