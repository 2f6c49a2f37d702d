#!/usr/bin/env bash
# Production, a canary, weir in front of them, and a client that asks three questions. It ends by itself.
set -eu
cd "$(dirname "$0")"
weir=${WEIR:-weir}
out=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -r "$out"' EXIT

# Waits until something holds.
wait_for() { until "$@" >/dev/null 2>&1; do sleep 0.1; done; }

# Production answers with what it was asked; the canary writes down what it gets.
$weir echo 17001 > "$out/production.log" &
$weir udp forward listen://127.0.0.1:17002 "file:$out/canary.txt" --lines --metrics off > "$out/canary.log" &
canary=$!
wait_for grep -q listening "$out/production.log"
wait_for grep -q bridging "$out/canary.log"
$weir run weir.toml --grace 0s > "$out/weir.log" 2>&1 &
wait_for $weir status 17009

ask() {
  exec 3<> /dev/tcp/127.0.0.1/17000
  echo "$1" >&3
  read -r answer <&3
  exec 3>&-
  echo "client: asked \"$1\", production answered \"$answer\""
}

ask "order 1"
ask "order 2"
wait_for grep -q "order 2" "$out/canary.txt"
echo "canary got: $(sort "$out/canary.txt" | paste -sd, -)"
kill $canary
wait $canary || true
echo "canary: gone"
ask "order 3"
