// What HTML lacks, and no more: every page works without this file. No storage, no evaluation, no request of its own.
"use strict";

// <po-time>: the server writes the account's zone; a reader in another zone gets the local hour, the title keeps both.
class PoTime extends HTMLElement {
  connectedCallback() {
    const time = this.querySelector("time");
    const at = new Date(time?.dateTime ?? "");
    if (Number.isNaN(at.getTime())) return;
    const lang = document.documentElement.lang;
    const local = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" }).format(at);
    if (!time.title.includes(local)) time.title += ` · ${local} (${Intl.DateTimeFormat().resolvedOptions().timeZone})`;
  }
}

// <po-countdown until done>: minutes or hours left; falls back to the moment that the server wrote.
class PoCountdown extends HTMLElement {
  connectedCallback() {
    this.until = new Date(this.getAttribute("until")).getTime();
    this.timer = setInterval(() => this.show(), 15000);
    this.show();
  }
  disconnectedCallback() {
    clearInterval(this.timer);
  }
  show() {
    const left = Math.ceil((this.until - Date.now()) / 60000);
    const out = this.querySelector("time");
    if (!out || Number.isNaN(left)) return;
    if (left <= 0) {
      out.textContent = this.getAttribute("done");
      clearInterval(this.timer);
      return;
    }
    const part = (value, unit) =>
      new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "narrow" }).format(value);
    out.textContent = left < 60 ? part(left, "minute") : `${part(Math.floor(left / 60), "hour")} ${part(left % 60, "minute")}`;
  }
}

// <po-copy>: adds the button that makes sense only with script, and says when it is done.
class PoCopy extends HTMLElement {
  connectedCallback() {
    if (this.querySelector("button") || !navigator.clipboard) return;
    const button = Object.assign(document.createElement("button"), {
      type: "button", className: "btn small", textContent: this.dataset.label,
    });
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(this.firstElementChild.textContent);
      button.textContent = this.dataset.done;
      setTimeout(() => { button.textContent = this.dataset.label; }, 4000);
    });
    const live = document.createElement("span");
    live.setAttribute("role", "status");
    live.append(button);
    this.append(live);
  }
}

// <po-list>: j k move, x selects, Shift x selects from the last one on, o opens; a box in the head selects all.
class PoList extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", (event) => {
      if (event.target.matches("thead input[type=checkbox]")) {
        for (const box of this.boxes()) box.checked = event.target.checked;
      }
      this.count();
    });
    for (const all of this.querySelectorAll("thead [hidden]")) all.hidden = false;
    this.count();
  }
  rows() {
    return [...this.querySelectorAll("tbody tr")].filter((row) => row.querySelector("a.go"));
  }
  boxes() {
    return [...this.querySelectorAll("tbody td:first-child input[type=checkbox]")];
  }
  count() {
    const chosen = this.boxes().filter((box) => box.checked).length;
    const all = this.querySelector("thead input[type=checkbox]");
    if (all) {
      all.checked = chosen > 0 && chosen === this.boxes().length;
      all.indeterminate = chosen > 0 && !all.checked;
    }
    const words = this.querySelector("[data-selected]");
    if (words) {
      words.dataset.words ??= words.textContent;
      words.textContent = `${words.dataset.words}: ${chosen}`;
    }
  }
  key(event) {
    const rows = this.rows();
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const step = { j: 1, k: -1 }[event.key];
    if (step) {
      const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
      next?.querySelector("a.go").focus();
      return Boolean(next);
    }
    if (at < 0) return false;
    if (event.key === "o") rows[at].querySelector("a.go").click();
    else if (event.key.toLowerCase() === "x") this.select(rows, at, event.shiftKey);
    else return false;
    return true;
  }
  select(rows, at, range) {
    const box = rows[at].querySelector("td:first-child input[type=checkbox]");
    if (!box) return;
    const from = range && this.last !== undefined ? this.last : at;
    const checked = range ? true : !box.checked;
    for (const row of rows.slice(Math.min(from, at), Math.max(from, at) + 1)) {
      const one = row.querySelector("td:first-child input[type=checkbox]");
      if (one) one.checked = checked;
    }
    this.last = at;
    this.count();
  }
}

for (const [name, element] of [["po-time", PoTime], ["po-countdown", PoCountdown], ["po-copy", PoCopy], ["po-list", PoList]]) {
  if (!customElements.get(name)) customElements.define(name, element);
}

// Keys. Single keys never fire in a field, never with a dialog open, and not at all when the account switched them off.
// The moment of a press is the event's own: a busy page that handles two presses late still sees them close together.
let pressedG = -Infinity;
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    const primary = document.querySelector('[data-key="mod+enter"]:not(:disabled)');
    if (primary) { event.preventDefault(); primary.click(); }
    return;
  }
  if (document.body.dataset.keys !== "on" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  if (document.querySelector("dialog[open], :popover-open")) return;
  if (act(event)) event.preventDefault();
});

function act(event) {
  const follows = event.timeStamp - pressedG < 1200;
  pressedG = -Infinity;
  if (follows) return press(`g ${event.key}`);
  if (event.key === "g") { pressedG = event.timeStamp; return true; }
  if (event.key === "?") { document.getElementById("keys")?.showModal(); return true; }
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    search?.focus();
    return Boolean(search);
  }
  return [...document.querySelectorAll("po-list")].some((list) => list.key(event)) || press(event.key);
}

function press(key) {
  if (!/^(g )?[a-z0-9]$/.test(key)) return false;
  const target = document.querySelector(`[data-key="${key}"]:not(:disabled)`);
  target?.click();
  return Boolean(target);
}

// Dialogs that a button names; the browser brings focus back to the button.
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
  if (event.target.closest?.("[data-print]")) window.print();
});

// A second click while the first is on its way sends nothing; the server would answer it the same way all the same.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog" || event.defaultPrevented) return;
  const last = Number(form.dataset.sent ?? 0);
  if (Date.now() - last < 3000) event.preventDefault();
  else form.dataset.sent = Date.now();
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

// One listener for both of htmx's error events feeds the live region; a refused form was swapped in already.
function toast(text) {
  const region = document.getElementById("toasts");
  if (!region || !text) return;
  const box = Object.assign(document.createElement("p"), { className: "toast", textContent: text });
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: region.dataset.close });
  close.addEventListener("click", () => box.remove());
  box.append(close);
  region.replaceChildren(box);
}
document.addEventListener("htmx:response:error", (event) => {
  const status = event.detail?.ctx?.response?.status ?? 0;
  if (status !== 422) toast(document.getElementById("toasts")?.dataset.failed);
});
document.addEventListener("htmx:error", () => toast(document.getElementById("toasts")?.dataset.offline));
document.addEventListener("DOMContentLoaded", () => document.getElementById("errors")?.focus());
