/** Debian's Chromium, which looks at the dashboard, and what it must not see: errors, and requests to anybody else. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

export class Sight implements AsyncDisposable {
  readonly page: Page;
  /** Errors of scripts, of the console (a policy that is broken is one), and requests to other hosts. */
  readonly wrong: string[] = [];

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Sight> {
    const sight = await Sight.blank(browser, url, options);
    await sight.page.goto(url);
    await sight.live();
    return sight;
  }

  /** A page that has not gone to `url` yet. */
  static async blank(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Sight> {
    const context = await browser.newContext(options);
    const sight = new Sight(await context.newPage());
    const { page, wrong } = sight;
    // What the test lets weir refuse is no error of the page.
    page.on("console", (line) => {
      if (line.type() === "error" && !/status of 40[0-9]/.test(line.text())) wrong.push(`console: ${line.text()}`);
    });
    page.on("pageerror", (error) => wrong.push(`script: ${error.message}`));
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin) wrong.push(`request: ${request.url()}`);
    });
    return sight;
  }

  /** It gets what weir tells. */
  live(): Promise<void> {
    return this.page.locator("#link.live").waitFor();
  }

  /** Resolves when the live region says so. */
  async said(text: string): Promise<void> {
    await this.page.locator("#said", { hasText: text }).waitFor();
  }

  /** A button by what it is called. */
  button(name: string) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** What the focus is on is called. */
  focused(): Promise<string> {
    return this.page.evaluate(() => {
      const { activeElement: element } = document;
      return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
    });
  }

  /** Tab, until what has the focus is called that. */
  async tabTo(name: string): Promise<void> {
    for (let presses = 0; presses < 200; presses++) {
      await this.page.keyboard.press("Tab");
      if ((await this.focused()) === name) return;
    }
    throw new Error(`"${name}" cannot be reached with the keyboard`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: Bun.which("chromium") ?? "chromium", args: ["--no-sandbox"] });
}
