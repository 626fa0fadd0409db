// What a check answers. Objects are always true in JavaScript, so an answer has `allowed`, and `Client.allowed` gives a
// boolean.

const frozen = (decision, reason, source, more = {}) =>
  Object.freeze({
    allowed: decision === "allow",
    decision,
    reason,
    source,
    stale: false,
    problem: null,
    facts: Object.freeze({}),
    ...more,
  });

export const YES_COPIED = frozen("allow", "COPIED", "copy");
export const NO_COPIED = frozen("deny", "COPIED", "copy");
export const YES_STALE = frozen("allow", "STALE", "copy", { stale: true });
export const NO_STALE = frozen("deny", "STALE", "nobody");
export const NO_UNAVAILABLE = frozen("deny", "UNAVAILABLE", "nobody");

/** A no because nobody answered, or because the service refused the question. */
export const unavailable = (problem = null) =>
  problem === null ? NO_UNAVAILABLE : frozen("deny", "UNAVAILABLE", "nobody", { problem });

/** The service's own answer, if it is one: else a no. */
export function answerOf(facts) {
  if (facts === null || typeof facts !== "object") return NO_UNAVAILABLE;
  if (facts.problem !== undefined && facts.problem !== null) return unavailable(String(facts.problem.type));
  const { decision, reason, expires_at: expiresAt } = facts;
  const isWhole = (decision === "allow" || decision === "deny") && typeof reason === "string";
  if (!isWhole || (expiresAt !== undefined && expiresAt !== null && Number.isNaN(Date.parse(expiresAt)))) {
    return NO_UNAVAILABLE;
  }
  return frozen(decision, reason, "service", { stale: facts.stale === true, facts: Object.freeze(facts) });
}
