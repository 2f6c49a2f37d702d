/**
 * Terminals, each with a connection of its own, that pay at the same time. Each looks whether the response is to its own
 * request.
 *
 *   bun terminals.mjs PORT TERMINALS PAYMENTS
 */
import { connect } from "node:net";
import process from "node:process";
import { frame, messages } from "./iso8583.mjs";

const [port, terminals, payments] = process.argv.slice(2).map(Number);

function terminal(number) {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let own = 0;
    const socket = connect(port, "127.0.0.1", pay);
    function pay() {
      sent++;
      socket.write(frame(`0200 terminal ${number} payment ${sent}`));
    }
    const read = messages((message) => {
      if (message === `0210 terminal ${number} payment ${sent}`) own++;
      if (sent < payments) pay();
      else socket.end();
    });
    socket.on("data", read);
    socket.on("error", reject);
    socket.on("close", () => resolve(own));
  });
}

const numbers = Array.from({ length: terminals }, (_, index) => index + 1);
const own = await Promise.all(numbers.map(terminal));
for (const [index, count] of own.entries()) {
  console.log(`terminal ${index + 1}: ${count} of ${payments} responses were its own`);
}
