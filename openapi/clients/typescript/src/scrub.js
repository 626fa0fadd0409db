// A list that comes back whole, or not at all.

import { ScrubIncomplete } from "./problems.js";
import { instantOf } from "./table.js";

/** Takes the answer line by line. `whole` checks it against its summary. */
export class ScrubReader {
  #texts = [];
  #rows = [];
  #summary = null;

  line(text) {
    let row;
    try {
      row = JSON.parse(text);
    } catch {
      throw new ScrubIncomplete("a line of the list cannot be read");
    }
    if (this.#summary !== null || row === null || typeof row !== "object") {
      throw new ScrubIncomplete("the list goes on after its summary");
    }
    if (row.summary !== undefined) {
      this.#summary = row.summary;
    } else {
      this.#texts.push(text, "\n");
      this.#rows.push(row);
    }
  }

  async whole(sent, emit) {
    const summary = this.#summary;
    if (summary === null || typeof summary !== "object") {
      throw new ScrubIncomplete("the list was cut off: it has no summary");
    }
    const { rows, allowed } = summary;
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(this.#texts.join("")));
    const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (rows !== sent || !Number.isInteger(allowed) || summary.sha256 !== sha256) {
      throw new ScrubIncomplete("the list and its summary do not fit together");
    }
    const expected = { allowed: [allowed, allowed], denied: [sent - allowed, 0], all: [sent, allowed] }[emit];
    const mayBeWritten = this.#rows.filter((row) => row.decision === "allow");
    if (this.#rows.length !== expected[0] || mayBeWritten.length !== expected[1]) {
      throw new ScrubIncomplete("the list and its summary do not add up");
    }
    return {
      rows: this.#rows,
      allowed: mayBeWritten.map((row) => String(row.row)),
      summary,
      useBefore: new Date(instantOf(summary.use_before)),
    };
  }
}
