/** What `bun test` says of those that failed. */

/** What stands before each `(fail)`, once more: far up in a long log nobody finds it, and the tail may be all there is. */
export function failureReports(report: string): readonly string[] {
  const list = report.slice(0, /^\d+ tests? failed:$/m.exec(report)?.index);
  const reports: string[] = [];
  let lines: string[] = [];
  for (const line of list.split("\n")) {
    lines.push(line);
    if (!/^\((pass|skip|todo|fail)\)/.test(line)) continue;
    if (line.startsWith("(fail)")) reports.push(lines.slice(-60).join("\n"));
    lines = [];
  }
  return reports;
}
