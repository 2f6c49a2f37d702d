/** The one dialog of the page: a question before something grave, or for the token. */
import { byId, setText } from "./dom.ts";

interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button says that goes on. */
  readonly yes: string;
  /** Whether a secret is asked for. */
  readonly secret?: boolean;
}

/** The secret, or "" where none was asked for; undefined: no. */
export function ask({ title, text, yes, secret = false }: Question): Promise<string | undefined> {
  const dialog = byId<HTMLDialogElement>("ask");
  const input = byId<HTMLInputElement>("ask-token");
  setText(byId("ask-title"), title);
  setText(byId("ask-text"), text);
  setText(byId("ask-yes"), yes);
  byId("ask-label").hidden = !secret;
  input.required = secret;
  input.value = "";
  return new Promise((resolve) => {
    let answer: string | undefined;
    byId("ask-form").onsubmit = (submit) => {
      submit.preventDefault();
      answer = input.value;
      dialog.close();
    };
    byId("ask-no").onclick = () => dialog.close();
    // Escape closes it, too; the browser gives the focus back to what had it.
    dialog.onclose = () => {
      input.value = "";
      resolve(answer);
    };
    dialog.showModal();
    if (!secret) byId("ask-no").focus();
  });
}
