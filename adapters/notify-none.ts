/** Node can send no datagrams to unix sockets. */
export function notify(): void {
  throw new Error("it needs Bun or Deno: Node sends no datagrams to unix sockets; under systemd, use Type=exec");
}
