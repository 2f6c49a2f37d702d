#!/usr/bin/env bash
# A payment switch that grants one connection, weir in front of it, and four terminals. It ends by itself.
set -eu
cd "$(dirname "$0")"
weir=${WEIR:-weir}
js=${JS:-bun} # or node, or "deno run --allow-all"
out=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -r "$out"' EXIT

# Waits until something holds.
wait_for() { until "$@" >/dev/null 2>&1; do sleep 0.1; done; }

$js switch.mjs 17031 > "$out/switch.log" &
switch=$!
wait_for grep -q listening "$out/switch.log"
$weir run weir.toml > "$out/weir.log" 2>&1 &
wait_for $weir status 17039

$js terminals.mjs 17030 4 250

kill $switch
wait $switch || true
tail -1 "$out/switch.log"
