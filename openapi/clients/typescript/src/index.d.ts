/** Asks a privacyops service whether something may be done to a person, and never says yes by accident. */

/** An address, number or account by which the shop knows a person. Its value stays out of JSON and inspection. */
export declare class Identifier {
  constructor(type: string, value: string);
  readonly type: string;
  get value(): string;
  toJSON(): { type: string };
}

export declare function email(address: string): Identifier;
/** A number in E.164 (`+4930...`), or as it is written in the brand's country. */
export declare function phone(number: string): Identifier;
/** The shop's own customer id. */
export declare function customer(number: string): Identifier;
export declare function device(id: string): Identifier;

/** A person id (`s_...`, from the answer to a write), or one identifier. */
export type Person = string | Identifier;
export type Source = "service" | "copy" | "nobody";

/** An answer is an object and therefore always true: look at `allowed`. */
export interface Answer {
  readonly allowed: boolean;
  readonly decision: "allow" | "deny";
  /** The service's reason (`GRANTED`, `WITHDRAWN`, ...), or this client's: `COPIED`, `STALE`, `UNAVAILABLE`. */
  readonly reason: string;
  readonly source: Source;
  /** A yes for a strictly necessary purpose from a copy older than its bound. */
  readonly stale: boolean;
  /** The problem type where the service refused the question, such as `/problems/unknown-purpose`. */
  readonly problem: string | null;
  /** The service's answer as it came; empty for an answer from the copy. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface ClientOptions {
  /** Hold a copy of all answers in memory, kept up by the change feed. */
  local?: boolean;
  /** The storefront where a call names none. */
  brand?: string | null;
  timeoutMs?: number;
  /** How long the copy may answer without having been confirmed. */
  maxAgeMs?: number;
  /** What the copy does about people it has never heard of: ask, or a no at once, as under every regime. */
  unknown?: "ask" | "regime";
  fetch?: typeof fetch;
  /** Two clocks in milliseconds; for tests. */
  time?: { steady: () => number; wall: () => number };
}

export interface About {
  brand?: string | null;
  jurisdiction?: string | null;
  /** The token of a write that the answer has to show. */
  atLeast?: string | null;
}

export interface Choice {
  purpose: string;
  channel: string;
  choice: "grant" | "refuse" | "defer";
}

export interface Notice {
  id: string;
  version: number;
  locale: string;
  sha256: string;
}

export interface Circumstances {
  method: string;
  brand?: string | null;
  jurisdiction?: string | null;
  indicatedBy?: "subject" | "guardian" | "agent";
  evidence?: Record<string, string | number>;
  clientEventId?: string;
  idempotencyKey?: string;
}

export interface Recording extends Circumstances {
  occurredAt?: Date;
  notice?: Notice;
}

export interface Stop extends Circumstances {
  purpose?: string;
  channel?: string;
}

export interface Written {
  subjectId: string;
  stateVersion: number;
  events: ReadonlyArray<Record<string, unknown>>;
  recordedAt: string;
  token: string | null;
  promise: string | null;
  isReplayed: boolean;
}

export interface Confirmed {
  eventId: string;
  state: string;
  alreadyConfirmed: boolean;
  token: string | null;
}

export interface Scrubbed {
  rows: ReadonlyArray<Record<string, unknown>>;
  /** The `row` of each recipient who may be written to. */
  allowed: string[];
  summary: Record<string, unknown>;
  useBefore: Date;
}

export interface CopyReport {
  state: "empty" | "live" | "stale" | "broken";
  ageMs: number;
  seq: number;
  people: number;
  trouble: string | null;
}

export declare class Client {
  /** `key` null: no Authorization header, for a route of your own that adds it. Never send an API key to a browser. */
  constructor(baseUrl: string, key: string | null, options?: ClientOptions);
  allowed(person: Person, purpose: string, channel: string, about?: About): Promise<boolean>;
  /** From the copy alone, without waiting; false where the copy does not know. */
  allowedNow(person: Person, purpose: string, channel: string, about?: Omit<About, "jurisdiction">): boolean;
  check(person: Person, purpose: string, channel: string, about?: About): Promise<Answer>;
  why(person: Person, purpose: string, channel: string, about?: About): Promise<Answer>;
  checkMany(people: readonly Person[], purpose: string, channel: string, about?: { brand?: string | null }): Promise<Answer[]>;
  scrub(
    recipients: Iterable<Record<string, string>>,
    purpose: string,
    channel: string,
    about?: { brand?: string | null; emit?: "allowed" | "denied" | "all" },
  ): Promise<Scrubbed>;
  record(person: Person | readonly Identifier[], choices: readonly Choice[], about: Recording): Promise<Written>;
  withdraw(person: Person | readonly Identifier[], about: Stop): Promise<Written>;
  confirm(token: string): Promise<Confirmed>;
  history(
    subject: string,
    page?: { before?: string | null; limit?: number },
  ): Promise<{ items: ReadonlyArray<Record<string, unknown>>; next: string | null }>;
  receipt(eventId: string, mediaType?: string): Promise<{ mediaType: string; body: Uint8Array }>;
  readonly copyReport: CopyReport | null;
  close(): Promise<void>;
}

export declare class SubjectMalformed extends TypeError {}

export declare class Refused extends Error {
  constructor(status: number, document: Record<string, unknown>, retryAfterMs?: number | null);
  status: number;
  type: string;
  title: string;
  requestId: string | null;
  document: Record<string, unknown>;
  retryAfterMs: number | null;
}

/** No answer. A write that ends so may have happened: repeat it with `idempotencyKey` and the same `occurredAt`. */
export declare class Unreachable extends Error {
  constructor(why: string, idempotencyKey?: string | null);
  idempotencyKey: string | null;
}

export declare class ScrubIncomplete extends Error {}

export declare class WebhookRejected extends Error {
  constructor(why: string);
  why: string;
}

export interface CloudEvent {
  specversion: "1.0";
  id: string;
  type: string;
  [member: string]: unknown;
}

export declare class WebhookVerifier {
  /** Name both keys while one replaces the other. `isNew` shares what was seen between processes. */
  constructor(
    keys: string | Iterable<string>,
    options?: { toleranceS?: number; isNew?: (id: string) => boolean | Promise<boolean>; now?: () => number },
  );
  verify(headers: Headers | Record<string, string>, body: string | Uint8Array): Promise<CloudEvent>;
}
