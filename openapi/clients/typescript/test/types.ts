// Not run: the compiler reads it (tests/clients/test_typescript_client.py). Each line marked as an error must be one.

import { Client, Refused, Unreachable, WebhookVerifier, email, type Answer, type CopyReport, type Written } from "../src/index.js";

export async function walk(): Promise<void> {
  const client = new Client("http://127.0.0.1", "key", { local: true, unknown: "regime" });
  const about = { brand: "shop", atLeast: "ct1.t" };
  const yes: boolean = await client.allowed(email("kim@example.com"), "newsletter", "email", about);
  const now: boolean = client.allowedNow("s_KIM", "newsletter", "email", about);
  const answer: Answer = await client.check("s_KIM", "newsletter", "email", { jurisdiction: "DE" });
  const choices = [{ purpose: "newsletter", channel: "email", choice: "grant" as const }];
  const written: Written = await client.record("s_KIM", choices, { method: "form", occurredAt: new Date() });
  await client.withdraw([email("kim@example.com")], { method: "form", channel: "email" });
  const list = await client.scrub([{ row: "1", email: "kim@example.com" }], "newsletter", "email", { emit: "all" });
  const report: CopyReport | null = client.copyReport;
  const event = await new WebhookVerifier(["whsec_x"]).verify(new Headers(), new Uint8Array());
  // @ts-expect-error a promise is always true: await it
  if (client.allowed("s_KIM", "newsletter", "email")) throw new Refused(403, {});
  // @ts-expect-error a choice is one of three words
  await client.record("s_KIM", [{ purpose: "newsletter", channel: "email", choice: "yes" }], { method: "form" });
  // @ts-expect-error a method is always named
  await client.withdraw("s_KIM", {});
  // @ts-expect-error an identifier is made by its function
  await client.check({ type: "email", value: "kim@example.com" }, "newsletter", "email");
  const seen = [yes, now, answer.facts, written.token, list.useBefore.getTime(), report?.state, event.id];
  throw new Unreachable(String(seen.length));
}
