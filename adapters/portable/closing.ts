/** The last thing that an owner hears of its socket. */
import type { SocketError } from "../../src/net/errors.ts";

/** What `close` throws has no connection left to end, so it is only said. */
export function tellClosed(events: { close(error?: SocketError): void }, error: SocketError | undefined): void {
  try {
    events.close(error);
  } catch (cause) {
    console.error("weir: a close handler threw", cause);
  }
}
