/** What --help prints. */
import { describe, expect, test } from "bun:test";
import { type Command, flagsOf } from "../../src/cli/command.ts";
import { commandHelp, programHelp } from "../../src/cli/help.ts";
import { program } from "../../src/cli/program.ts";

const COMMANDS: readonly Command[] = program.commands;

test("weir --help lists the commands", () => {
  expect(programHelp(program)).toEqual([
    "A relay for TCP, UDP and TLS to put in front of anything",
    "",
    "Usage: weir COMMAND [FLAGS]",
    "",
    "Commands:",
    "  tcp LISTEN TARGET…        Relay one address to one target or several",
    "  run [CONFIG]              Run the proxies of a configuration file",
    "  mux [LISTEN] [TARGET]…    Let many clients share few connections to a target",
    "  mux list                  Tell the protocols that weir mux knows",
    "  mux server                The same with the flags of tcp-multiplexer",
    "  udp send [PATH] [TO]…     Send a file or standard input as datagrams",
    "  udp recv [LISTEN]…        Write what comes as datagrams to a file",
    "  udp forward [FROM] [TO]…  Pass datagrams and streams on to any number of places",
    "  udp reverse               Gather inputs in a multicast group, and hand it out",
    "  tap LISTEN TARGET         Relay and show what passes, or write it down",
    "  replay FILE TARGET        Send a recording again, and look at what comes back",
    "  load [TARGET]             Measure a server that echoes, or what stands before it",
    "  status [ADMIN-URL]        Tell what a running weir does",
    "  top [ADMIN-URL]           Watch a running weir in the terminal",
    "  check FILE…               Find every problem of configuration files",
    "  explain CONFIG            Tell which rule lets a client in or shuts it out, and where it goes",
    "  echo [LISTEN]             Send back what comes in: a server to try things with",
    "  demo                      Show it all in one process, on free ports",
    "  version                   Print the version",
    "  help [COMMAND]…           Explain weir or one of its commands",
    "",
    "For shells, editors and packages:",
    "  completions SHELL         Print what completes weir's commands in a shell",
    "  schema [FORMAT]           Print the JSON Schema of weir's files",
    "  man                       Print the manual page",
    "  install-links DIR         Let weir be started by the names of older programs",
    "  as NAME [ARGUMENT]…       Take the command line of an older program",
    "",
    "Flags:",
    "  -h, --help                Print this help",
    "  -V, --version             Print the version",
    "",
    "Examples:",
    "  # See it work, on free ports of this machine",
    "  weir demo",
    "  # Put weir in front of a server and print each connection",
    "  weir tcp 8080 example.com:80 --log connections",
    "  # Run what a file says",
    "  weir run weir.toml",
    "",
    '"weir COMMAND --help" explains a command and its flags.',
  ]);
});

test("weir tcp --help explains arguments, flags and values", () => {
  expect(commandHelp(commandNamed("tcp"))).toEqual([
    "Accepts connections on LISTEN and relays each of them to a TARGET, both ways, until both sides have",
    "finished. One side may finish first: the other goes on.",
    "",
    "Usage: weir tcp LISTEN TARGET… [FLAGS]",
    "",
    "Arguments:",
    "  LISTEN                               Where clients connect; port 0 takes any free port",
    "  TARGET                               Where weir connects for each client; of several, --balance",
    "                                       chooses. A name behind dns:// or dns+srv:// stands for all",
    "                                       its addresses. Options follow behind commas: weight=N,",
    "                                       backup, max_connections=N, and for TLS clients alone that ask",
    "                                       for it, sni=NAME, sni=*.NAME, alpn=PROTOCOL",
    "",
    "Flags:",
    "      --name NAME                      What logs and metrics call the proxy (default: proxy-1)",
    "      --metrics ADDRESS|off            Where to serve metrics and API (default: 127.0.0.1:8998)",
    "      --token-env NAME                 Environment variable with the token that changes over the API",
    "                                       need; without one, loopback alone may change",
    "      --engine ENGINE                  What relays the bytes: native (threads over libc, Linux under",
    "                                       Bun and Deno), portable (the runtime's sockets), or auto:",
    "                                       native where it works (default: auto)",
    "      --workers N|auto                 Threads of the native engine; auto: one for each core",
    "                                       (default: auto)",
    "      --seed N                         Where all chance in faults comes from: the same seed, the",
    "                                       same chances; another one at each start without it",
    "      --grace DURATION                 How long connections may take to finish, once weir is told to",
    "                                       stop, before they are cut (default: 60s)",
    "  -h, --help                           Print this help",
    "",
    "Access:",
    "      --allow CIDR                     Let these clients in, and nobody else whom no range holds;",
    "                                       the narrowest range decides",
    "      --deny CIDR                      Shut these clients out",
    "      --allow-file FILE                More ranges for --allow, one in each line",
    "      --deny-file FILE                 More ranges for --deny, one in each line",
    "      --schedule WINDOW                Let clients in within these windows alone",
    "      --refuse HOW                     What a client gets that is shut out: reset (RST) or close",
    "                                       (FIN) (default: reset)",
    "",
    "Limits:",
    "      --max-connections N              Connections at once, 0 for as many as there is room for;",
    "                                       others wait in the queue (default: 0)",
    "      --queue-size N                   Connections that may wait; 0 refuses at once (default: 1000)",
    "      --queue-timeout DURATION|off     Time after which one that waits is refused (default: 5s)",
    "      --max-connections-per-source N   Connections that one client address (of IPv6: its /64) may",
    "                                       have at once, 0 for any number (default: 0)",
    "      --rate RATE                      How fast connections of one client address may come",
    "      --burst N                        How many of them may come at once; without it, as many as in",
    "                                       a second",
    "",
    "Targets:",
    "      --balance HOW                    Which target is next: round_robin, least_connections,",
    "                                       random_two (the less busy of two by chance), source_hash (the",
    "                                       same for the same client) or first (in their order, as long",
    "                                       as there is room) (default: round_robin)",
    "      --retries N                      How often targets are tried again, after 100 ms and longer,",
    "                                       when none can be connected (default: 0)",
    "      --slow-start DURATION|off        Time in which a target that has come back grows to its whole",
    "                                       share (default: off)",
    "      --none-healthy WHAT              When health checks have given up every target: refuse",
    "                                       clients, or try_all (default: refuse)",
    "      --source IP                      Local IP address from which targets are connected",
    "      --dns-server IP:PORT             Who resolves dns:// and dns+srv:// names",
    "      --dns-interval DURATION          Time between two questions for such a name (default: 10s)",
    "",
    "Health checks, as soon as one of these is given:",
    "      --health-interval DURATION       Time between two checks of a target (default: 2s)",
    "      --health-http PATH               Ask for this path over HTTP, and take 200 to 399 for a good",
    "                                       answer",
    "      --health-send TEXT               Send this; \\r \\n \\t and \\\\ are understood",
    "      --health-expect TEXT             Wait for this; without it, to be connected is enough",
    "",
    "PROXY protocol:",
    "      --accept-proxy-from CIDR         Whoever comes from here has to begin with a PROXY header, v1",
    "                                       or v2, which tells the client's address",
    "      --send-proxy VERSION             Tell targets the client's address: v1, v2 or off",
    "                                       (default: off)",
    "",
    "TLS, for LISTEN or TARGET as tls://host:port:",
    "      --tls-certificate FILE           PEM file with the certificate of a tls:// LISTEN and those",
    "                                       that lead to its CA; one is chosen by SNI",
    "      --tls-key FILE                   PEM file with its key, in the same order; without it, the",
    "                                       certificate's file holds the key, too",
    "      --tls-min-version VERSION        The oldest version that clients may speak: 1.2 or 1.3",
    "                                       (default: 1.2)",
    "      --tls-alpn NAME                  Protocols for clients, the preferred one first (ALPN)",
    "      --tls-client-ca FILE             Clients have to show a certificate of a CA in this PEM file",
    "      --tls-client-name HOST           It has to have one of these names, such as *.corp.example",
    "      --target-ca FILE                 PEM file with the CAs that tls:// targets are verified by",
    "      --target-name HOST               Name that targets are asked for (SNI), and verified by",
    "      --target-certificate FILE        PEM file with the certificate that targets are shown",
    "      --target-key FILE                PEM file with its key; without it, the same file",
    "      --target-pin SHA256              Targets have to have this public key, or certificate",
    "      --target-insecure                Take any certificate of a target, an attacker's as well",
    "",
    "Timeouts:",
    "      --hello-timeout DURATION|off     For the ClientHello, where targets are chosen by sni or alpn",
    "                                       (default: 5s)",
    "      --connect-timeout DURATION|off   To reach the target (default: 5s)",
    "      --idle-timeout DURATION|off      Without a byte either way (default: 10m)",
    "      --fin-timeout DURATION|off       Without a byte the other way, after one side has finished",
    "                                       (default: 30s)",
    "      --lifetime DURATION|off          From accept to the end, whatever happens in between",
    "                                       (default: off)",
    "",
    "Sockets:",
    "      --buffer SIZE                    Bytes held per direction before weir stops reading",
    "                                       (default: 256KiB)",
    "      --[no-]nodelay                   Send small writes at once (TCP_NODELAY) (default: on)",
    "      --keepalive DURATION|off         Silence before TCP keepalive probes (default: off)",
    "      --reuse-port                     Share LISTEN with other processes that do so, such as the",
    "                                       next version of weir (SO_REUSEPORT)",
    "",
    "Copies and faults:",
    "      --observer OBSERVER              Send a copy of what clients send there, for each connection",
    "                                       anew. Options follow behind commas: copies=downstream (what",
    "                                       they receive) or both, buffer=SIZE, when_full=drop,",
    "                                       disconnect or block, format=framed",
    "      --fault FAULT                    Let something go wrong on purpose: latency, bandwidth,",
    "                                       slow_close, timeout, reset_peer, slicer, limit_data,",
    "                                       drop_message, duplicate_message, delay_message, down. Further",
    "                                       options: stream=upstream, toxicity=0.5, after=1MB or 5s,",
    "                                       name=NAME",
    "",
    "Log:",
    "      --log-level LEVEL                How much to print: error, warn, info, debug (each connection)",
    "                                       or trace (each read) (default: info)",
    "      --log WHAT                       Lines to add, with a comma between several: connections (when",
    "                                       one opens and closes), access (one record of it when it has",
    "                                       ended)",
    "      --log-format FORMAT              For people (text) or for programs (json, which includes",
    "                                       access records) (default: text)",
    "      --summary-interval DURATION|off  Time between summary lines (default: 10s)",
    "  -q, --quiet                          Print errors alone, whatever the other log flags say",
    "",
    "Values:",
    "  ADDRESS                              8080, 127.0.0.1:8080, [::1]:8080, example.com:80,",
    "                                       unix:/run/x.sock; listening on :8080 takes every interface",
    "  DURATION                             250ms, 5s, 10m, 1.5h, 1d",
    "  CIDR                                 10.0.0.0/8, 192.168.1.7, fd00::/8",
    "  RATE                                 20/s, 600/m, 1000/h",
    "  WINDOW                               Mon-Fri 08:00-18:00 Europe/Berlin; Sat,Sun; 22:00-06:00, by",
    "                                       the zone of this machine",
    "  OBSERVER                             127.0.0.1:6000; unix:/run/copy.sock; udp://127.0.0.1:6000;",
    "                                       file:/var/tmp/{session}.bin,copies=both",
    "  FAULT                                latency:latency=100ms,jitter=20ms; bandwidth:rate=100KB/s;",
    "                                       limit_data:bytes=1MB,stream=upstream; down",
    "  SHA256                               64 hexadecimal digits, or base64 such as",
    "                                       sha256//s7Gjhr9KXhgsQh6ONAniXt4a39HpR++4LpmLLnugUz0=",
    "  SIZE                                 64KiB, 1MiB (1024s); 64KB, 1MB (1000s)",
    "",
    "Examples:",
    "  # Port 8080 of this machine to a web server",
    "  weir tcp 8080 example.com:80",
    "  # Every interface to a database, cutting connections after an idle hour",
    "  weir tcp :5432 10.0.0.1:5432 --idle-timeout 1h",
    "  # The less busy of two healthy servers, and a third for when both are down",
    "  weir tcp :80 10.0.0.1:80 10.0.0.2:80 10.0.0.3:80,backup --balance random_two --health-http /health",
    "  # At most 100 connections at once, and those from one network alone",
    "  weir tcp :5432 10.0.0.1:5432 --max-connections 100 --allow 10.0.0.0/8",
    "  # A port to a unix socket, one JSON record for each connection",
    "  weir tcp 8080 unix:/run/app.sock --log-format json",
    "  # TLS to the server whose name the client asks for, without decrypting it",
    "  weir tcp :443 10.0.0.1:443,sni=*.example.com 10.0.0.2:443,sni=example.org,sni=www.example.org",
  ]);
});

describe.each(COMMANDS.map((command) => [command.name, command] as const))("weir %s --help", (_, command) => {
  const text = commandHelp(command).join("\n");

  test("shows every flag with its default, and every value to choose", () => {
    for (const flag of flagsOf(command)) {
      const entry = entryOf(text, flag.kind === "boolean" && flag.negatable ? `--[no-]${flag.name}` : `--${flag.name}`);
      if (flag.default) expect(entry).toEndWith(`(default: ${flag.default})`);
      if (flag.kind === "choice") for (const value of flag.values) expect(entry).toContain(value);
    }
    expect(text).toContain("-h, --help");
  });

  test("shows every argument and example", () => {
    for (const { name } of command.positionals) expect(entryOf(text, name)).not.toBe("");
    for (const { line } of command.examples) expect(text).toContain(`\n  ${line}`);
  });

  test("uses each name and letter once", () => {
    const flags = [...flagsOf(command), program.help];
    const names = flags.flatMap(({ name, short }) => (short === undefined ? [name] : [name, short]));
    expect(new Set(names).size).toBe(names.length);
  });
});

test("no line is wider than 100 columns or ends in a space", () => {
  for (const line of [programHelp(program), ...COMMANDS.map((command) => commandHelp(command))].flat()) {
    expect(line.length).toBeLessThanOrEqual(100);
    expect(line).not.toMatch(/\s$/);
  }
});

function commandNamed(name: string): Command {
  const command = COMMANDS.find((each) => each.name === name);
  if (!command) throw new Error(`there is no command ${name}`);
  return command;
}

/** The right column of an entry, in one line; empty if there is none. */
function entryOf(help: string, term: string): string {
  const lines = help.split("\n");
  const at = lines.findIndex(
    (line) =>
      line
        .trimStart()
        .replace(/^-\w, /, "")
        .split(" ")[0] === term,
  );
  const [first = "", ...rest] = at < 0 ? [] : lines.slice(at);
  const end = rest.findIndex((line) => !line.startsWith(" ".repeat(12)));
  const about = first.trimStart().split(/ {2,}/).slice(1);
  return [...about, ...rest.slice(0, end).map((line) => line.trim())].join(" ");
}
