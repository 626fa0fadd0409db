// Whom a question or a choice is about: a person id of the service, or what the shop knows the person by.

import { SubjectMalformed } from "./problems.js";

const ID = /^s_[0-9A-Za-z]{1,38}$/;

/** An address, number or account. Its value stays out of logs: neither inspection nor JSON shows it. */
export class Identifier {
  #value;

  constructor(type, value) {
    this.type = type;
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  toJSON() {
    return { type: this.type };
  }
}

export const email = (address) => new Identifier("email", address);
export const phone = (number) => new Identifier("phone", number);
export const customer = (number) => new Identifier("customer_id", number);
export const device = (id) => new Identifier("device_id", id);

const spelled = (one) => ({ type: one.type, value: one.value });

export function requireId(person) {
  if (typeof person !== "string" || !ID.test(person)) throw new SubjectMalformed();
  return person;
}

/** The person as a check names it. */
export const askedAbout = (person) =>
  person instanceof Identifier ? { identifier: spelled(person) } : { subject: requireId(person) };

/** The person as a write names it. */
export function writtenAbout(person) {
  if (typeof person === "string") return { id: requireId(person) };
  const named = Array.isArray(person) ? person : [person];
  if (!named.every((one) => one instanceof Identifier)) throw new SubjectMalformed();
  return { identifiers: named.map(spelled) };
}
