/** Certificates in files: what is wrong with them at the start, and when they change while they are in use. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import { type Address, parseAddress } from "../../src/net/address.ts";
import type { Listener, StreamSocket, Timer } from "../../src/net/runtime.ts";
import type { CertificateView } from "../../src/tls/files.ts";
import { TlsKeeper } from "../../src/tls/keeper.ts";
import { LISTEN_TLS, type ListenTlsConfig, type TlsSettings } from "../../src/tls/tls-config.ts";
import { Kit } from "../contract/kit.ts";
import { run } from "../e2e/weir.ts";
import { haveOpenssl, type Issued, issue, textOf } from "./certificates.ts";

/** The runtime with a clock that goes when it is told to. */
class Hand {
  #due: (() => void)[] = [];
  readonly runtime = {
    ...runtime,
    after: (_: number, run: () => void): Timer => {
      this.#due.push(run);
      const cancel = () => {
        this.#due = this.#due.filter((each) => each !== run);
      };
      return { cancel };
    },
  };

  /** The next look at the files. */
  turn(): void {
    const [next] = this.#due.splice(0, 1);
    next?.();
  }

  get waiting(): number {
    return this.#due.length;
  }
}

describe.skipIf(!haveOpenssl())("the certificates of a proxy", () => {
  let folder = "";
  let one: Issued;
  let other: Issued;
  let kit: Kit;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "weir-keeper-"));
    one = issue(folder, "one", { alternative: "DNS:one.test" });
    other = issue(folder, "other", { alternative: "DNS:other.test" });
    kit = new Kit(runtime);
  });
  afterEach(async () => {
    await kit.clean();
    rmSync(folder, { recursive: true, force: true });
  });

  const settings = (tls: Partial<ListenTlsConfig> = {}): TlsSettings & { name: string } => ({
    name: "web",
    listen: parseAddress("tls://127.0.0.1:0", "listen", "tls"),
    targets: [],
    tls: { ...LISTEN_TLS, certificates: [one], ...tls },
    targetTls: null,
  });

  function keeper(hand: Hand) {
    const said: string[] = [];
    const names = (certificates: readonly CertificateView[]) => certificates.flatMap((each) => each.names).join();
    const kept = new TlsKeeper(hand.runtime, settings(), {
      loaded: (certificates, again) => said.push(`${again ? "again" : "first"} ${names(certificates)}`),
      failed: (why) => said.push(why),
    });
    kit.later(() => kept.stop());
    return { kept, said };
  }

  async function listening(kept: TlsKeeper): Promise<Listener> {
    const accept = (socket: StreamSocket) => socket.end();
    const options = { noDelay: true, keepAlive: 0, buffer: 65_536, backlog: 16 };
    const listener = await kept.over(runtime).listen(settings().listen as Address, options, accept);
    kit.later(() => listener.close());
    return listener;
  }

  /** The name in the certificate that a client is shown. */
  async function shown(listener: Listener): Promise<string> {
    let name = "";
    const refuses = ({ names }: { names: readonly string[] }) => {
      name = names.join();
      return undefined;
    };
    await kit.connect(listener.address, { clientTls: { verify: false, alpn: [], refuses } });
    return name;
  }

  test("are exchanged when their files have changed, for the handshakes to come", async () => {
    const hand = new Hand();
    const { kept, said } = keeper(hand);
    const listener = await listening(kept);
    expect(await shown(listener)).toBe("one.test");
    hand.turn();
    expect(said).toEqual(["first one.test"]);
    copyFileSync(other.certificate, one.certificate);
    copyFileSync(other.key, one.key);
    hand.turn();
    expect(said).toEqual(["first one.test", "again other.test"]);
    expect(await shown(listener)).toBe("other.test");
    expect(kept.states.map(({ names, daysLeft }) => [names.join(), daysLeft > 29 && daysLeft <= 30])).toEqual([
      ["other.test", true],
    ]);
  });

  test("stay when the new ones are broken, and that is told once", async () => {
    const hand = new Hand();
    const { kept, said } = keeper(hand);
    const listener = await listening(kept);
    const before = textOf(one.certificate);
    writeFileSync(one.certificate, "nothing of the kind");
    hand.turn();
    // It may have been half of a change.
    expect(said).toEqual(["first one.test"]);
    for (let turns = 0; turns < 3; turns++) hand.turn();
    expect(said.slice(1)).toEqual([expect.stringContaining(`Cannot use ${one.certificate}: there is no certificate`)]);
    expect(await shown(listener)).toBe("one.test");
    copyFileSync(other.certificate, one.certificate);
    hand.turn();
    hand.turn();
    expect(said.slice(2)).toEqual([expect.stringContaining(`it is not the key of ${one.certificate}`)]);
    expect(await shown(listener)).toBe("one.test");
    rmSync(one.certificate);
    hand.turn();
    hand.turn();
    expect(said.slice(3)).toEqual([expect.stringContaining("no such file or directory")]);
    writeFileSync(one.certificate, before);
    hand.turn();
    expect(said.slice(4)).toEqual(["again one.test"]);
    expect(await shown(listener)).toBe("one.test");
  });

  test("are told nothing of when only half of a change was seen", () => {
    const hand = new Hand();
    const { said } = keeper(hand);
    copyFileSync(other.certificate, one.certificate);
    hand.turn();
    copyFileSync(other.key, one.key);
    hand.turn();
    expect(said).toEqual(["first one.test", "again other.test"]);
  });

  test("stay when another configuration names what cannot be used", async () => {
    const hand = new Hand();
    const { kept } = keeper(hand);
    const listener = await listening(kept);
    const wrong = settings({ certificates: [{ certificate: one.certificate, key: other.key }] });
    expect(() => kept.configure(wrong)).toThrow(`it is not the key of ${one.certificate}`);
    expect(await shown(listener)).toBe("one.test");
    kept.configure(settings({ certificates: [other] }));
    expect(await shown(listener)).toBe("other.test");
  });

  test("are no longer looked at when the proxy is gone", () => {
    const hand = new Hand();
    const { kept } = keeper(hand);
    expect(hand.waiting).toBe(1);
    kept.stop();
    expect(hand.waiting).toBe(0);
  });

  describe("are refused at the start", () => {
    const start = (tls: Partial<ListenTlsConfig>) => () => new TlsKeeper(new Hand().runtime, settings(tls));

    test("when there is no such file", () => {
      const certificates = [{ certificate: join(folder, "none.pem"), key: one.key }];
      expect(start({ certificates })).toThrow(`proxy "web": Cannot read ${folder}/none.pem: no such file or directory`);
    });

    test.skipIf(process.getuid?.() === 0)("when a file may not be read", () => {
      chmodSync(one.key, 0);
      expect(start({})).toThrow(`proxy "web": Cannot read ${one.key}: permission denied`);
    });

    test("when the key is that of another", () => {
      const certificates = [{ certificate: one.certificate, key: other.key }];
      const why = `Cannot use ${other.key}: it is not the key of ${one.certificate}`;
      expect(start({ certificates })).toThrow(why);
    });

    test("when the key has a passphrase, or is none", async () => {
      const locked = join(folder, "locked.key");
      await run(["openssl", "pkcs8", "-topk8", "-in", one.key, "-passout", "pass:x", "-out", locked]);
      const certificates = [{ certificate: one.certificate, key: locked }];
      expect(start({ certificates })).toThrow(
        `Cannot use ${locked}: the key has a passphrase; take it off with openssl`,
      );
      const none = [{ certificate: one.certificate, key: one.certificate }];
      expect(start({ certificates: none })).toThrow("there is no private key in it that can be read");
    });

    test("when the file of CAs holds none", () => {
      expect(start({ clientCa: one.key })).toThrow(`Cannot use ${one.key}: there is no certificate in it`);
    });
  });

  test("may have expired: that is for the log to say", () => {
    const old = issue(folder, "old", { alternative: "DNS:old.test", days: -1 });
    const kept = new TlsKeeper(new Hand().runtime, settings({ certificates: [old] }));
    expect(kept.states[0]?.daysLeft).toBeLessThan(0);
    kept.stop();
  });
});
