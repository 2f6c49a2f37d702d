#!/usr/bin/env bash
# weir between a multicast group and two TCP clients, and somebody who sends to the group. It ends by itself.
set -eu
cd "$(dirname "$0")"
weir=${WEIR:-weir}
out=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -r "$out"' EXIT

# Waits until something holds.
wait_for() { until "$@" >/dev/null 2>&1; do sleep 0.1; done; }
connected() { $weir status 17029 --json | grep -q "\"connections\":$1"; }

$weir run weir.toml > "$out/weir.log" 2>&1 &
wait_for $weir status 17029
exec 3<> /dev/tcp/127.0.0.1/17021
exec 4<> /dev/tcp/127.0.0.1/17021
wait_for connected 2

# Each line is a datagram; the group is on the loopback interface, so nothing leaves this machine.
printf '!AIVDM,ship one\n!AIVDM,ship two\n' | $weir udp send - 239.1.2.3:17020%lo --lines --quiet

read -r one <&3; read -r two <&3
echo "first client:  $one $two"
read -r one <&4; read -r two <&4
echo "second client: $one $two"
exec 3>&- 4>&-
