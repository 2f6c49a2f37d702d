#!/usr/bin/env bash
# A primary, a standby, weir in front of them, and clients that want too much. It ends by itself.
set -eu
cd "$(dirname "$0")"
weir=${WEIR:-weir}
out=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -r "$out"' EXIT

# Waits until something holds.
wait_for() { until "$@" >/dev/null 2>&1; do sleep 0.1; done; }
status_says() { $weir status 17019 | grep -q "$1"; }

$weir echo 17011 > "$out/primary.log" &
primary=$!
$weir echo 17012 > "$out/standby.log" &
wait_for grep -q listening "$out/primary.log"
wait_for grep -q listening "$out/standby.log"
$weir run weir.toml > "$out/weir.log" 2>&1 &
wait_for $weir status 17019

echo "two clients are in, a third waits, a fourth is sent away:"
exec 3<> /dev/tcp/127.0.0.1/17010; echo "one" >&3; read -r answer <&3; echo "  $answer"
exec 4<> /dev/tcp/127.0.0.1/17010; echo "two" >&4; read -r answer <&4; echo "  $answer"
exec 5<> /dev/tcp/127.0.0.1/17010; echo "three" >&5
wait_for status_says "1 waiting"
exec 6<> /dev/tcp/127.0.0.1/17010; read -r answer <&6 2>/dev/null || echo "  four: refused"
exec 3>&-
read -r answer <&5; echo "  $answer, now that there is room"
exec 4>&- 5>&- 6>&-

echo "the primary dies, the standby takes over:"
kill $primary
wait_for status_says "down .*connection refused"
exec 3<> /dev/tcp/127.0.0.1/17010; echo "five" >&3; read -r answer <&3; echo "  $answer"
exec 3>&-

echo "who would be let in:"
for client in 10.1.2.3 10.9.2.3 192.168.1.7; do
  $weir explain weir.toml --from $client | head -1 | sed "s/^/  /"
done
