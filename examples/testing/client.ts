/** What is tested here: a small client that sends a line and gets one back, with a timeout and further attempts. */
import { connect } from "node:net";

export interface AskOptions {
  /** Milliseconds for each attempt. */
  readonly timeout?: number;
  /** Attempts beyond the first. */
  readonly retries?: number;
}

/** Rejects with what was wrong with the last attempt. */
export async function ask(
  port: number,
  question: string,
  { timeout = 60_000, retries = 0 }: AskOptions = {},
): Promise<string> {
  for (let left = retries; ; left--) {
    try {
      return await attempt(port, question, timeout);
    } catch (error) {
      if (left <= 0) throw error;
    }
  }
}

function attempt(port: number, question: string, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${timeout} ms`)), timeout);
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      answer += text;
      if (answer.endsWith("\n")) socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      if (answer.endsWith("\n")) resolve(answer.trimEnd());
      else reject(new Error(`the answer broke off after "${answer}"`));
    });
    socket.write(`${question}\n`);
  });
}
