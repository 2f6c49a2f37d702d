/**
 * A payment switch that grants one connection: who comes while that is open is sent away. It answers each request (0200)
 * with its response (0210), and says how many there were when it is told to stop.
 *
 *   bun switch.mjs PORT
 */
import { createServer } from "node:net";
import process from "node:process";
import { frame, messages } from "./iso8583.mjs";

let connections = 0;
let requests = 0;
let open = 0;

const server = createServer((socket) => {
  if (open > 0) {
    socket.destroy();
    return;
  }
  open++;
  connections++;
  const read = messages((message) => {
    requests++;
    socket.write(frame(message.replace(/^0200/, "0210")));
  });
  socket.on("data", read);
  socket.on("error", () => {});
  socket.on("close", () => open--);
});

server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => {
  console.log(`switch: ${requests} requests over ${connections} connection${connections === 1 ? "" : "s"}`);
  process.exit(0);
});
