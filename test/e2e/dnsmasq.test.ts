/** Targets behind names that a real DNS server resolves, while its records change and when it is gone. */
import { expect, test } from "bun:test";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runtime } from "#runtime";
import { deferred, Kit } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { Hosts } from "../proxy/hosts.ts";
import { Daemon } from "./daemon.ts";
import { haveTool } from "./tools.ts";
import { Weir } from "./weir.ts";

const hostsFile = (directory: string) => join(directory, "hosts");

/** Knows what its hosts file says, whenever it gets a SIGHUP, and a service on one.test and two.test. */
function dnsmasq(targets: number, hosts: string): Promise<Daemon> {
  return Daemon.start({
    ports: 1,
    async prepare([port], directory) {
      await writeFile(hostsFile(directory), hosts);
      // It gives its rights up before it reads them again.
      await chmod(hostsFile(directory), 0o644);
      await chmod(directory, 0o755);
      const services = [`one.test,${targets},10`, `two.test,${targets},20`].map(
        (to) => `--srv-host=_db._tcp.test,${to}`,
      );
      const where = [`--port=${port}`, "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file="];
      const what = ["--no-resolv", "--no-hosts", "--local=/test/", `--addn-hosts=${hostsFile(directory)}`, ...services];
      return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", ...where, ...what];
    },
    async ready([port]) {
      const asked = runtime.resolve("one.test", { servers: [`127.0.0.1:${port}`], timeout: 200 });
      return await asked.then(
        () => true,
        () => false,
      );
    },
  });
}

test.skipIf(!haveTool("dnsmasq"))("weir follows what dnsmasq says, and goes on without it", async () => {
  const kit = new Kit(runtime);
  const hosts = await Hosts.open(kit);
  await using server = await dnsmasq(hosts.port, "127.0.0.2 one.test\n127.0.0.4 two.test\n");
  const dns = `127.0.0.1:${server.ports[0]}`;
  const start = (target: string) =>
    Weir.start(["tcp", "127.0.0.1:0", target, "--metrics", "off", "--dns-server", dns, "--dns-interval", "100ms"]);
  await using byName = await start(`dns://one.test:${hosts.port}`);
  await using byService = await start("dns+srv://_db._tcp.test");
  const ports = [await byName.port(), await byService.port()];

  const connect = async (port: number) => {
    const client = new Probe(await kit.connect({ kind: "tcp", host: "127.0.0.1", port }));
    client.raw = true;
    await client.until(() => client.received > 0 || client.closed, "its host");
    return client;
  };
  /** The hosts behind the next connections through the one and the other, as far as there are any. */
  const ask = async () => {
    const answers: string[] = [];
    for (const port of ports) {
      // Reset before this end knew that it was connected.
      const client = await connect(port).catch(() => undefined);
      answers.push(new TextDecoder().decode(client?.bytes));
      client?.abort();
    }
    return answers.join();
  };

  const live = await connect(ports[0] ?? 0);
  for (let n = 0; n < 3; n++) expect(await ask()).toBe("127.0.0.2,127.0.0.2");

  await writeFile(hostsFile(server.directory), "127.0.0.3 one.test\n127.0.0.4 two.test\n");
  server.signal("SIGHUP");
  for (let now = ""; now !== "127.0.0.3,127.0.0.3"; ) now = await ask();
  live.writeText("still there?");
  const target = hosts.arrived.get("127.0.0.2")?.[0] ?? expect.unreachable();
  await target.until(() => target.received === 12, "a question");

  // The second host of the service is for when the first is down.
  await hosts.stop("127.0.0.3");
  for (let now = ""; !now.endsWith(",127.0.0.4"); ) now = await ask();
  await hosts.start(kit, "127.0.0.3");
  for (let now = ""; now !== "127.0.0.3,127.0.0.3"; ) now = await ask();

  server.signal("SIGKILL");
  await server.exit();
  // In its place somebody who says nothing, and hears that weir goes on asking.
  const silent = await runtime.datagram({ host: "127.0.0.1", port: server.ports[0] ?? 0 }, { receiveBuffer: 65_536 });
  kit.later(() => silent.close());
  const heard = deferred<void>();
  let questions = 0;
  silent.on({ message: () => ++questions === 8 && heard.resolve(), close() {} });
  silent.resume();
  await heard.promise;
  for (let n = 0; n < 3; n++) expect(await ask()).toBe("127.0.0.3,127.0.0.3");
  live.writeText("and now?");
  await target.until(() => target.received === 20, "another question");
  await kit.clean();
});
