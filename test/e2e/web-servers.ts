/** Web servers as children of a test, and Node's client. */
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { answers, Daemon } from "./daemon.ts";
import { run, Weir } from "./weir.ts";

/** A body that shows every byte that is lost or changed. */
export const BODY = randomBytes(150_000).toString("hex");

/** Files, uploads and `/who?X`, which answers X and the number of the connection; another server that closes often. */
export function nginx(): Promise<Daemon> {
  return Daemon.start({
    ports: 2,
    async prepare([port, hasty], directory) {
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((name) => `${name}_temp_path ${directory}/${name};`)
        .join(" ");
      await mkdir(join(directory, "www/many"), { recursive: true });
      await writeFile(join(directory, "www/index.html"), "<h1>Hello</h1>\n");
      await writeFile(join(directory, "www/body.txt"), BODY);
      for (let n = 0; n < 200; n++) await writeFile(join(directory, "www/many", `file${n}`), "");
      const path = join(directory, "nginx.conf");
      await writeFile(
        path,
        `daemon off; master_process off; pid ${directory}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off; ${temporary} root ${directory}/www; client_max_body_size 10m;
  add_header X-Connection $connection always; absolute_redirect off;
  server {
    listen 127.0.0.1:${port};
    location /many/ { autoindex on; gzip on; gzip_types *; gzip_min_length 1; }
    location /upload/ { dav_methods PUT DELETE; create_full_put_path on; }
    location = /who { return 200 "$args $connection\\n"; }
  }
  server { listen 127.0.0.1:${hasty}; keepalive_requests 3; location = /who { return 200 "$args $connection\\n"; } }
  server { listen unix:${directory}/ready.sock; return 204; }
}
`,
      );
      return ["nginx", "-e", "stderr", "-c", path];
    },
    ready: (_, directory) => answers(join(directory, "ready.sock")),
  });
}

/** Node's server: replies of all kinds, and who asked. `/connections` tells how many there were. */
const SERVER = `
  let connections = 0;
  const server = require("node:http").createServer(async (request, reply) => {
    const [path, query] = request.url.split("?");
    let body = "";
    request.setEncoding("latin1");
    for await (const part of request) body += part;
    if (path === "/connections") reply.end(String(connections));
    else if (path === "/none") reply.writeHead(204).end();
    else if (path === "/same") reply.writeHead(304, { etag: '"1"', "content-length": "1000" }).end();
    else if (path === "/early") {
      reply.writeEarlyHints({ link: "</style.css>; rel=preload" });
      reply.end("early");
    } else if (path === "/trailers") {
      if (request.httpVersion === "1.1") reply.setHeader("Trailer", "X-Sum");
      for (let n = 0; n < 50; n++) reply.write("part " + n + "\\n");
      reply.addTrailers({ "X-Sum": "1225" });
      reply.end();
    } else if (path === "/length") reply.end(request.method + " " + body.length + "\\n" + body);
    else {
      // In its own time, in one piece or in chunks, of any length.
      const text = (query + " " + body + "\\n").repeat(1 + query.length * 7 % 40);
      await new Promise((resolve) => setTimeout(resolve, query.length * 13 % 5));
      if (body.length % 2) reply.write(text.slice(0, 5)), reply.end(text.slice(5));
      else reply.end(text);
    }
  });
  server.on("connection", () => connections++);
  server.keepAliveTimeout = server.headersTimeout = server.requestTimeout = 0;
  server.listen(0, "127.0.0.1", () => console.log("listening 127.0.0.1:" + server.address().port));
`;

/** Asks `argv[1]` 500 times, 32 at a time: what went wrong, and how many came back. */
const CLIENT = `
  const url = process.argv[1];
  let next = 0, right = 0;
  const wrong = [];
  const ask = async () => {
    for (let n = next++; n < 500; n = next++) {
      const query = "n" + n + "x".repeat(n % 17);
      const body = n % 3 ? "" : String(n).repeat(n);
      const answer = await fetch(url + "?" + query, body ? { method: "POST", body } : {});
      const text = await answer.text();
      const wanted = (query + " " + body + "\\n").repeat(1 + query.length * 7 % 40);
      if (text === wanted) right++;
      else wrong.push([n, answer.status, text.slice(0, 80)]);
    }
  };
  Promise.all(Array.from({ length: 32 }, ask)).then(() => console.log(JSON.stringify({ right, wrong })));
`;

/** Node's server. */
export async function nodeServer() {
  const server = Weir.spawn(["node", "-e", SERVER]);
  return { port: await server.port(), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** What became of 500 requests that Node's `fetch` has sent to a server like {@link nodeServer}, 32 at a time. */
export async function nodeClient(port: number): Promise<unknown> {
  const { out, err } = await run(["node", "-e", CLIENT, `http://127.0.0.1:${port}/who`]);
  return err || JSON.parse(out);
}
