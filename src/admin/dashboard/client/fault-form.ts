/** The form that switches a fault on: its fields are those of the type that is chosen. */
import type { KindRow } from "../kinds.ts";
import type { ProxyRow } from "../snapshot.ts";
import { change } from "./changes.ts";
import { make, setText } from "./dom.ts";

export interface FaultForm {
  kinds(kinds: readonly KindRow[]): void;
  /** Those that can have faults. */
  proxies(proxies: readonly ProxyRow[]): void;
}

export function faultForm(place: HTMLElement): FaultForm {
  const fields = new Fields();
  place.append(fields.form);
  return fields;
}

class Fields implements FaultForm {
  readonly form = make("form", { class: "bar", attributes: { "aria-label": "Switch a fault on" } });
  readonly #proxy = make("select");
  readonly #type = make("select");
  readonly #stream = make("select");
  readonly #toxicity = make("input", { attributes: { type: "number", min: "0", max: "100", step: "any" } });
  readonly #own = make("div", { class: "bar" });
  readonly #about = make("p", { class: "note" });
  #kinds: readonly KindRow[] = [];
  #proxies: readonly ProxyRow[] = [];

  constructor() {
    for (const direction of ["downstream", "upstream"]) this.#stream.append(option(direction));
    this.#toxicity.value = "100";
    const submit = make("button", { text: "Switch on", attributes: { type: "submit" } });
    this.form.append(
      labelled("Proxy", this.#proxy),
      labelled("Fault", this.#type),
      labelled("Direction", this.#stream),
      this.#own,
      labelled("% of connections", this.#toxicity),
      submit,
      this.#about,
    );
    this.#proxy.addEventListener("change", () => this.#offerTypes());
    this.#type.addEventListener("change", () => this.#offerAttributes());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  kinds(kinds: readonly KindRow[]): void {
    this.#kinds = kinds;
    this.#offerTypes();
  }

  proxies(proxies: readonly ProxyRow[]): void {
    this.#proxies = proxies;
    const names = [...new Set(proxies.map(({ name }) => name))];
    const before = this.#proxy.value;
    if (!offer(this.#proxy, names)) return;
    this.form.hidden = names.length === 0;
    if (this.#proxy.value !== before) this.#offerTypes();
  }

  #offerTypes(): void {
    const transport = this.#proxies.find(({ name }) => name === this.#proxy.value)?.transport ?? "stream";
    const fit = this.#kinds.filter(({ transports }) => transports.includes(transport));
    const before = this.#type.value;
    offer(
      this.#type,
      fit.map(({ type }) => type),
    );
    if (this.#type.value !== before || this.#own.dataset["type"] === undefined) this.#offerAttributes();
  }

  #offerAttributes(): void {
    const kind = this.#kinds.find(({ type }) => type === this.#type.value);
    this.#own.dataset["type"] = kind?.type ?? "";
    setText(this.#about, kind?.about ?? "");
    const inputs = (kind?.attributes ?? []).map(({ name, about, needed, example }) => {
      const attributes = { name, title: about, placeholder: example, size: "10", spellcheck: "false" };
      const input = make("input", { attributes: { ...attributes, autocomplete: "off" } });
      input.required = needed;
      return labelled(`${name}${needed ? "" : " (optional)"}`, input);
    });
    this.#own.replaceChildren(...inputs);
  }

  async #submit(): Promise<void> {
    const [proxy, type, stream] = [this.#proxy.value, this.#type.value, this.#stream.value];
    const inputs = [...this.#own.querySelectorAll("input")].filter(({ value }) => value.trim() !== "");
    const attributes = Object.fromEntries(inputs.map(({ name, value }) => [name, value.trim()]));
    const body = { type, stream, toxicity: Number(this.#toxicity.value) / 100, ...attributes };
    const done = `Fault ${type} of proxy ${proxy} is on.`;
    await change(`/api/faults/${encodeURIComponent(proxy)}`, body, done);
  }
}

function labelled(text: string, control: HTMLElement): HTMLLabelElement {
  return make("label", {}, document.createTextNode(text), control);
}

function option(text: string): HTMLOptionElement {
  return make("option", { text, attributes: { value: text } });
}

/** Gives a choice its options, unless it has them already; what is chosen stays, if it still can. */
function offer(select: HTMLSelectElement, names: readonly string[]): boolean {
  const there = [...select.options].map(({ value }) => value);
  if (there.length === names.length && there.every((name, at) => name === names[at])) return false;
  const before = select.value;
  select.replaceChildren(...names.map(option));
  if (names.includes(before)) select.value = before;
  return true;
}
