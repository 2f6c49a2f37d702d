/** Servers that echo, for the stage: `bun servers.ts READY tcp:127.0.0.1:80 unix:/run/x.sock udp:0.0.0.0:53`. */
import { writeFileSync } from "node:fs";
import process from "node:process";

const [ready = "", ...addresses] = process.argv.slice(2);
const socket = { data: (peer: { write(chunk: Uint8Array): void }, chunk: Uint8Array) => void peer.write(chunk) };

for (const address of addresses) {
  const [kind = "", ...rest] = address.split(":");
  const [hostname = "", port = 0] = rest;
  if (kind === "unix") Bun.listen({ unix: hostname, socket });
  else if (kind === "tcp") Bun.listen({ hostname, port: Number(port), socket });
  else {
    const data = (
      own: { send(chunk: Uint8Array, port: number, host: string): unknown },
      chunk: Uint8Array,
      from: number,
      host: string,
    ) => void own.send(chunk, from, host);
    await Bun.udpSocket({ hostname, port: Number(port), socket: { data } });
  }
}
writeFileSync(ready, "");
