/** What buttons do: a POST to the API, with the token where there is one, and words about what became of it. */
import { ask } from "./ask.ts";
import { byId } from "./dom.ts";

/** Where the token stays until the window is closed. */
const TOKEN = "weir-token";

/** Changes something, and says so: `done`, or why not. */
export async function change(path: string, body: unknown, done: string): Promise<boolean> {
  try {
    const answer = await post(path, body);
    if (answer === undefined) return say("Not changed: it needs the token.", true);
    if (answer.ok) return say(done, false);
    const { error } = (await answer.json().catch(() => ({}))) as { readonly error?: string };
    return say(`Not changed: ${error ?? `weir has answered ${answer.status}`}`, true);
  } catch {
    return say("Not changed: weir cannot be reached.", true);
  }
}

/** Asks for the token as long as weir wants another one; undefined: nobody has it. */
async function post(path: string, body: unknown): Promise<Response | undefined> {
  for (let text = "Changes need the token of weir (admin.token_env)."; ; text = "That is not the token.") {
    const token = sessionStorage.getItem(TOKEN);
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
    if (answer.status !== 401) return answer;
    sessionStorage.removeItem(TOKEN);
    const given = await ask({ title: "Token", text, yes: "Go on", secret: true });
    if (given === undefined) return undefined;
    sessionStorage.setItem(TOKEN, given);
  }
}

/** In the live region. Answers whether it went well. */
function say(text: string, failed: boolean): boolean {
  const said = byId("said");
  said.className = failed ? "failed" : "";
  // The same words again are news as well.
  said.textContent = "";
  said.textContent = text;
  return !failed;
}
