/**
 * A relay inside a test: start it in front of a server, break the server, look at what weir saw.
 *
 *   bun examples/library.ts
 */
import { createServer } from "node:http";
import { Proxy as Relay } from "weir";

const server = createServer((_, response) => response.end("hello"));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const bound = server.address();
const target = `127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`;

await using proxy = await Relay.bind("127.0.0.1:0", target, { timeouts: { connect: 1_000 } });
proxy.on("closed", ({ reason }) => console.log(`closed: ${reason}`));
proxy.on("failed", ({ reason }) => console.log(`failed: ${reason}`));

const get = () => fetch(`http://${proxy.address}/`, { headers: { connection: "close" } });
console.log(`answer: ${await (await get()).text()}`);
console.log(`connections so far: ${proxy.metrics().connectionsTotal}`);

server.closeAllConnections();
await new Promise((resolve) => server.close(resolve));
await get().catch(() => console.log("the client was reset"));
