// Requests over `fetch`, and what their answers mean.

import { Refused, Unreachable } from "./problems.js";

export class Wire {
  #base;
  #headers;
  #timeoutMs;
  #fetch;

  constructor(baseUrl, key, timeoutMs, fetchOne) {
    this.#base = baseUrl.replace(/\/+$/, "");
    this.#headers = key === null ? {} : { authorization: `Bearer ${key}` };
    this.#timeoutMs = timeoutMs;
    this.#fetch = fetchOne;
  }

  /** One request and its whole answer. Throws Unreachable where there is none. */
  async send(method, path, { query = {}, headers = {}, body = null, patienceMs = 0, signal = null, line = null } = {}) {
    const search = new URLSearchParams(query).toString();
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), this.#timeoutMs + patienceMs);
    const closes = () => stop.abort();
    signal?.addEventListener("abort", closes);
    try {
      const response = await this.#fetch(`${this.#base}${path}${search && `?${search}`}`, {
        method,
        body,
        headers: { ...this.#headers, ...headers },
        redirect: "error",
        cache: "no-store",
        credentials: "omit",
        signal: stop.signal,
      });
      const reply = { status: response.status, headers: response.headers, body: new Uint8Array() };
      if (line !== null && response.status === 200) await eachLine(response.body, line);
      else reply.body = new Uint8Array(await response.arrayBuffer());
      return reply;
    } catch (failed) {
      if (failed instanceof TypeError || failed instanceof DOMException || failed?.name === "AbortError") {
        throw new Unreachable("no answer"); // the message of the failure could hold an address
      }
      throw failed;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", closes);
    }
  }

  async json(method, path, options) {
    return jsonOf(await this.send(method, path, options));
  }

  post(path, body, headers = {}) {
    return this.send("POST", path, {
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
  }
}

/** NDJSON is cut at line feeds alone. */
async function eachLine(stream, take) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const lines = rest.split("\n");
      rest = lines.pop();
      for (const text of lines) take(text);
      if (done) break;
    }
    if (rest !== "") take(rest);
  } finally {
    await reader.cancel().catch(() => {}); // it may have ended already
  }
}

function parsed(reply) {
  const media = (reply.headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (!media.endsWith("json")) return null;
  try {
    const document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(reply.body));
    return document !== null && typeof document === "object" && !Array.isArray(document) ? document : null;
  } catch {
    return null;
  }
}

/** The object in a successful reply. */
export function jsonOf(reply) {
  const document = parsed(reply);
  if (reply.status >= 200 && reply.status < 300 && document !== null) return document;
  requireGood(reply);
  throw new Unreachable(`the answer (${reply.status}) is not one of this service`);
}

/** Throws Refused: the service answered with a problem. Unreachable: somebody else did, such as a proxy. */
export function requireGood(reply) {
  if (reply.status >= 200 && reply.status < 300) return;
  const document = parsed(reply);
  if (document !== null && typeof document.type === "string") {
    const wait = reply.headers.get("retry-after") ?? "";
    throw new Refused(reply.status, document, /^\d+$/.test(wait) ? 1000 * Number(wait) : null);
  }
  throw new Unreachable(`the service answered ${reply.status} without saying why`);
}

/** Wait; a signal ends it early. Keeps no process alive. */
export const pause = (ms, signal = null) =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref?.();
    if (signal?.aborted) done();
    else signal?.addEventListener("abort", done);
  });
