// <consent-preferences>: the boxes of a collection point in a shop's own page. No dependency, no storage, no cookie.
//
// <script type="module" src="https://privacy.shop.example/widget/v1/privacy.js"></script>
// <consent-preferences collection-token="poc_…" lang="de"><a href="…">Your choices</a></consent-preferences>
//
// The page's policy needs script-src and connect-src for the service, and nothing else. What stands inside the element
// shows until it is ready, and again where the service cannot be reached.

const HERE = new URL(import.meta.url).origin;
const WORDS = {
  en: {
    all: "Accept all", none: "Reject all", save: "Save choices", email: "E-mail address", text: "What this means",
    saved: "Saved.", wrong: "Enter an e-mail address such as name@example.com.",
    failed: "Not saved. What you chose before still stands.", over: "Load the page again; then choose once more.",
    channels: { email: "by e-mail", sms: "by text message", phone: "by phone", push: "by push message", post: "by post",
      messenger: "by messenger", web: "on this device" },
  },
  de: {
    all: "Alles annehmen", none: "Alles ablehnen", save: "Auswahl speichern", email: "E-Mail-Adresse",
    text: "Was das bedeutet", saved: "Gespeichert.", wrong: "Geben Sie eine E-Mail-Adresse ein, etwa name@example.com.",
    failed: "Nicht gespeichert. Es bleibt bei Ihrer früheren Auswahl.",
    over: "Laden Sie die Seite neu und wählen Sie noch einmal.",
    channels: { email: "per E-Mail", sms: "per SMS", phone: "per Telefon", push: "per Push-Nachricht", post: "per Brief",
      messenger: "per Messenger", web: "auf diesem Gerät" },
  },
};
const LOOK = `
:host { display: block; font: inherit; color: var(--privacy-ink, inherit); }
:host([hidden]) { display: none; }
form { display: grid; gap: var(--privacy-gap, 12px); }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; display: grid; gap: 4px; }
legend { font-weight: 600; padding: 0; margin-bottom: 4px; }
label { display: flex; gap: 8px; align-items: center; min-height: 44px; }
label.typed { flex-direction: column; align-items: stretch; gap: 4px; }
input[type="checkbox"] { width: 20px; height: 20px; margin: 2px; flex: none; accent-color: var(--privacy-accent, #2447c9); }
input[type="email"], button {
  font: inherit; min-height: 44px; padding: 0 14px; box-sizing: border-box; max-width: 100%;
  border: 1px solid var(--privacy-line, #868e9c); border-radius: var(--privacy-radius, 7px);
  background: var(--privacy-field, #fff); color: var(--privacy-ink, #161a22);
}
button { cursor: pointer; }
div { display: flex; flex-wrap: wrap; gap: 8px; }
a { color: var(--privacy-accent, #2447c9); }
:focus-visible { outline: 2px solid var(--privacy-accent, #2447c9); outline-offset: 2px; }
`;

/** `make("label", {className: "typed"}, "text", element)`: an element with its properties and children. */
const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

class ConsentPreferences extends HTMLElement {
  #offer = null;
  #boxes = new Map();
  #sent = null;

  connectedCallback() {
    if (!this.shadowRoot) {
      const root = this.attachShadow({ mode: "open", delegatesFocus: true });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(LOOK);
      root.adoptedStyleSheets = [sheet];
      root.append(make("slot"));
      this.reload();
    }
  }

  /** What is ticked now: {"newsletter/email": true, …}. */
  get value() {
    return Object.fromEntries([...this.#boxes].map(([name, box]) => [name, box.checked]));
  }

  /** Ask the service once more what may be chosen here. */
  async reload() {
    const answer = await this.#call("GET", `?lang=${encodeURIComponent(this.#language)}`);
    if (answer === null) return;
    this.#offer = answer;
    this.#draw();
    this.#tell("loaded", { purposes: answer.purposes.map((one) => one.key) }, "privacy:consent-");
  }

  /** Send what is ticked as granted and the rest as refused; whether it was taken. */
  async save() {
    const address = this.shadowRoot.querySelector("input[type=email]");
    if (address && !(address.value && address.checkValidity())) {
      address.setAttribute("aria-invalid", "true");
      address.setAttribute("aria-describedby", "status");
      address.focus();
      this.#say(this.#words.wrong);
      return false;
    }
    address?.removeAttribute("aria-invalid");
    const choices = [...this.#boxes].map(([name, box]) => {
      const [purpose, channel] = name.split("/");
      return { purpose, channel, choice: box.checked ? "grant" : "refuse" };
    });
    const told = { notice: this.#offer.shown, choices };
    if (address) told.identifiers = [{ type: "email", value: address.value }];
    else if (this.getAttribute("anonymous-id")) told.consent_id = this.getAttribute("anonymous-id");
    // A repeated click on the same choices is the same event for the service; other choices are another one.
    const same = JSON.stringify(told);
    if (this.#sent?.same !== same) this.#sent = { same, id: randomId() };
    const answer = await this.#call("POST", "", { client_event_id: this.#sent.id, ...told });
    if (answer === null) return false;
    this.#say(this.#words.saved);
    if (answer.consent_id) this.setAttribute("anonymous-id", answer.consent_id);
    choices.forEach(({ purpose, channel, choice }, place) =>
      this.#tell("changed", { purpose, channel, value: choice, eventId: answer.event_ids?.[place] ?? null }, "privacy:consent-"));
    return true;
  }

  get #language() {
    return this.getAttribute("lang") || this.closest("[lang]")?.lang || "en";
  }

  get #words() {
    return WORDS[this.#language.slice(0, 2).toLowerCase()] ?? WORDS.en;
  }

  async #call(method, query, body) {
    const headers = { Authorization: `Bearer ${this.getAttribute("collection-token") ?? ""}` };
    if (body) headers["Content-Type"] = "application/json";
    const address = `${this.getAttribute("endpoint") || HERE}/v1/collect${query}`;
    try {
      const answer = await fetch(address, { method, headers, body: body && JSON.stringify(body), credentials: "omit" });
      if (answer.ok) return await answer.json();
      this.#fail(answer.status === 401 || answer.status === 410 ? "token-ended" : `http-${answer.status}`);
    } catch {
      this.#fail("unreachable");
    }
    return null;
  }

  #fail(code) {
    this.#say(code === "token-ended" ? this.#words.over : this.#words.failed);
    this.#tell("error", { code });
  }

  #draw() {
    const { all, none, save, email, text, channels } = this.#words;
    this.#boxes.clear();
    const sets = this.#offer.purposes.map((one) => {
      const rows = one.channels.map((channel) => {
        const box = make("input", { type: "checkbox" });
        box.setAttribute("part", "option");
        this.#boxes.set(`${one.key}/${channel}`, box);
        return make("label", {}, box, make("span", {}, channels[channel] ?? channel));
      });
      return make("fieldset", {}, make("legend", {}, one.title), ...rows);
    });
    const every = (ticked) => () => {
      this.#boxes.forEach((box) => (box.checked = ticked));
      this.save();
    };
    const button = (label, onclick) => {
      const made = make("button", { type: "button", onclick }, label);
      made.setAttribute("part", "button");
      return made;
    };
    const typed = this.#offer.is_anonymous ? [] : [
      make("label", { className: "typed" }, email, make("input", { type: "email", required: true, autocomplete: "email" }))];
    const status = make("p", { id: "status" });
    status.setAttribute("role", "status");
    status.setAttribute("part", "status");
    const form = make("form", { noValidate: true, lang: this.#language }, ...sets, ...typed,
      make("div", {}, button(none, every(false)), button(all, every(true)), button(save, () => this.save())),
      make("p", {}, make("a", { href: this.#offer.notice_url, target: "_blank", rel: "noopener" }, text)), status);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.save(); });
    form.setAttribute("part", "form");
    this.shadowRoot.replaceChildren(form);
  }

  #say(words) {
    const status = this.shadowRoot.getElementById("status");
    if (status) status.textContent = words;
  }

  #tell(what, detail, family = "privacy:") {
    this.dispatchEvent(new CustomEvent(`${family}${what}`, { detail, bubbles: true, composed: true }));
  }
}

if (!customElements.get("consent-preferences")) customElements.define("consent-preferences", ConsentPreferences);
