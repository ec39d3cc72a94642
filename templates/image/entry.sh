#!/bin/sh
# Starts a service: environment from the two secrets, then the command given, and an orderly stop on SIGTERM:
# first until no caller finds this task any more, then the command itself. Runs below tini, which reaps orphans.
# SERVICE_NAME, STOP_DELAY_S (at most so long for callers to forget us) and STOP_STATUS (exit codes of the command
# that count as an orderly stop) may be set by the image or the secrets.
# NEXUS_SECRETS, NEXUS_MARK and NEXUS_CA_BUNDLE name other places than the usual ones, for images with a read-only /tmp.
set -u

SECRETS=${NEXUS_SECRETS:-/run/secrets}
MARK=${NEXUS_MARK:-/tmp/nexus-ready} # of nexus-health: readiness was seen once in the life of this container
BUNDLE=${NEXUS_CA_BUNDLE:-/tmp/nexus-ca-bundle.pem}
SYSTEM_BUNDLE=${NEXUS_SYSTEM_CA_BUNDLE:-/etc/ssl/certs/ca-certificates.crt}

# KEY=value lines, values literal: exported as they are, never evaluated.
load() {
  [ -r "$1" ] || { [ ! -e "$1" ] || { echo "nexus-entry: cannot read $1 as uid $(id -u)" >&2; exit 78; }; return 0; }
  number=0
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    case $line in '' | '#'*) continue ;; esac
    key=${line%%=*}
    case $key in
      "$line" | '' | [0-9]* | *[!A-Za-z0-9_]*)
        echo "nexus-entry: $1 line $number is not KEY=value" >&2
        exit 78
        ;;
    esac
    export "$line"
  done <"$1"
}

# The variables by which OpenSSL, Python, requests, curl and boto3 find authorities replace those of the system, so
# they name a file with both: the system's and the environment's own. One that is set already stays. Node.js adds
# NODE_EXTRA_CA_CERTS to its own and needs no such file.
trust() {
  [ -r "$SECRETS/ca.pem" ] || return 0
  { [ ! -r "$SYSTEM_BUNDLE" ] || cat "$SYSTEM_BUNDLE"; cat "$SECRETS/ca.pem"; } >"$BUNDLE" || {
    echo "nexus-entry: cannot write $BUNDLE: give the service a writable /tmp, or set NEXUS_CA_BUNDLE" >&2
    exit 78
  }
  for name in SSL_CERT_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE AWS_CA_BUNDLE; do
    eval "export $name=\"\${$name:-\$BUNDLE}\""
  done
}

# Whether Docker's DNS still gives this task's address to those who ask for the service.
listed() {
  own=$(getent ahostsv4 "$(hostname)" | cut -d' ' -f1 | sort -u)
  all=$(getent ahostsv4 "tasks.${SERVICE_NAME:-}" | cut -d' ' -f1 | sort -u) || return 1
  for address in $own; do
    for other in $all; do
      [ "$address" != "$other" ] || return 0
    done
  done
  return 1
}

stop() {
  trap '' TERM INT
  stopping=yes
  # The router holds an answer of the DNS for a second: one more after the name is gone.
  waited=0
  while [ "$waited" -lt "${STOP_DELAY_S:-3}" ]; do
    listed && more=yes || more=no
    sleep 1
    waited=$((waited + 1))
    [ "$more" = yes ] || break
  done
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}

load "$SECRETS/config"
load "$SECRETS/credentials"
trust
rm -f "$MARK"

stopping=
child=
status=127
trap stop TERM INT
"$@" &
child=$!
[ -z "$stopping" ] || kill -TERM "$child" 2>/dev/null # told before it was known whom to tell
# `wait` also returns when a signal was handled, once: ask again for the status of the command itself.
for _ in first again; do
  wait "$child"
  answer=$?
  [ "$answer" -eq 127 ] || status=$answer # 127: it was told the first time
  [ -n "$stopping" ] || break
done
if [ -n "$stopping" ]; then
  for accepted in 0 143 ${STOP_STATUS:-}; do
    [ "$status" -ne "$accepted" ] || exit 0
  done
fi
exit "$status"
