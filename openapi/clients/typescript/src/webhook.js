// Verifies events that the service sends: Standard Webhooks 1.0.0 around a CloudEvent. For servers; uses Web Crypto.

const TOLERANCE_S = 300;
const IDS_HELD = 100_000;

/** Not from the service, altered, too old, or seen before; `why` says which and holds nothing of the content. */
export class WebhookRejected extends Error {
  name = "WebhookRejected";

  constructor(why) {
    super(why);
    this.why = why;
  }
}

export class WebhookVerifier {
  #keys;
  #toleranceS;
  #isNew;
  #now;

  constructor(keys, { toleranceS = TOLERANCE_S, isNew = null, now = () => Date.now() } = {}) {
    const named = typeof keys === "string" ? [keys] : [...keys];
    if (named.length === 0) throw new RangeError("a verifier needs at least one key");
    this.#keys = named.map(keyOf);
    this.#toleranceS = toleranceS;
    this.#now = now;
    this.#isNew = isNew ?? seen(now, 2 * toleranceS);
  }

  /** The CloudEvent in the raw body. A repeated delivery is rejected as `repeated`: answer it with 200, do nothing. */
  async verify(headers, body) {
    const [id, sent, signatures] = ["id", "timestamp", "signature"].map((name) => headerOf(headers, `webhook-${name}`));
    if (!/^\d{1,12}$/.test(sent)) throw new WebhookRejected("the time is not a number of seconds");
    const utf8 = new TextEncoder();
    const content = typeof body === "string" ? utf8.encode(body) : body;
    const start = utf8.encode(`${id}.${sent}.`);
    const message = new Uint8Array(start.length + content.length);
    message.set(start);
    message.set(content, start.length);
    if (!(await this.#isSigned(message, signatures))) throw new WebhookRejected("no signature fits");
    if (Math.abs(this.#now() / 1000 - Number(sent)) > this.#toleranceS) {
      throw new WebhookRejected("it was sent too long ago, or in the future");
    }
    const event = parsed(content);
    if (event?.specversion !== "1.0" || event.id !== id) {
      throw new WebhookRejected("the body is not the event that its headers name");
    }
    if (!(await this.#isNew(id))) throw new WebhookRejected("repeated");
    return event;
  }

  async #isSigned(message, signatures) {
    for (const { version, bytes, algorithm } of this.#keys) {
      const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["verify"]);
      for (const one of signatures.split(" ")) {
        const [given, text] = one.split(",");
        const signature = given === version ? decoded(text ?? "") : null;
        if (signature !== null && (await crypto.subtle.verify(algorithm, key, signature, message))) return true;
      }
    }
    return false;
  }
}

function keyOf(text) {
  const [prefix, rest] = [text.slice(0, text.indexOf("_")), text.slice(text.indexOf("_") + 1)];
  const bytes = decoded(rest);
  if (prefix === "whsec" && bytes !== null && bytes.length >= 16) {
    return { version: "v1", bytes, algorithm: { name: "HMAC", hash: "SHA-256" } };
  }
  if (prefix === "whpk" && bytes?.length === 32) return { version: "v1a", bytes, algorithm: { name: "Ed25519" } };
  throw new RangeError("a webhook key is whsec_ or whpk_ and base 64");
}

function headerOf(headers, name) {
  const found =
    typeof headers.get === "function"
      ? headers.get(name)
      : Object.entries(headers).find(([one]) => one.toLowerCase() === name)?.[1];
  if (typeof found !== "string") throw new WebhookRejected("a webhook header is missing");
  return found;
}

function decoded(text) {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}

function parsed(content) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch {
    return null;
  }
}

/** Event ids of the last while, in this process. */
function seen(now, seconds) {
  const ids = new Map();
  return (id) => {
    const at = now() / 1000;
    for (const [old, when] of ids) {
      if (when >= at - seconds && ids.size <= IDS_HELD) break;
      ids.delete(old);
    }
    if (ids.has(id)) return false;
    ids.set(id, at);
    return true;
  };
}
