// Asks a privacyops service whether something may be done to a person, and never says yes by accident.

export { Client } from "./client.js";
export { Identifier, customer, device, email, phone } from "./person.js";
export { Refused, ScrubIncomplete, SubjectMalformed, Unreachable } from "./problems.js";
export { WebhookRejected, WebhookVerifier } from "./webhook.js";
