// What a call can end in besides its answer. Asking throws none of them but `SubjectMalformed`.

/** A person was named by a plain text that is not a person id; an address must not end up in a URL or log. */
export class SubjectMalformed extends TypeError {
  name = "SubjectMalformed";

  constructor() {
    super("a plain text names a person by its id (s_...); wrap others: email(...), customer(...)");
  }
}

/** The service understood and said no: a problem document (RFC 9457). `type` is stable, `title` is for people. */
export class Refused extends Error {
  name = "Refused";

  constructor(status, document, retryAfterMs = null) {
    super(`${status} ${document.type}: ${document.title}`);
    this.status = status;
    this.type = String(document.type);
    this.title = String(document.title);
    this.requestId = document.request_id ?? null;
    this.document = document;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer, or none that can be understood. A write that ends so may have happened: repeat it with its key. */
export class Unreachable extends Error {
  name = "Unreachable";

  constructor(why, idempotencyKey = null) {
    super(why);
    this.idempotencyKey = idempotencyKey;
  }
}

/** A list came back without its summary, or with one that does not fit: use nothing of it. */
export class ScrubIncomplete extends Error {
  name = "ScrubIncomplete";
}

/** The change feed has a hole, a repeat, or runs backwards: this reader stops for good. */
export class FeedBroken extends Error {
  name = "FeedBroken";
}
