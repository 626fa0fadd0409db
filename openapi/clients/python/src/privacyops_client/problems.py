"""What a call can end in besides its answer. `allowed` raises none of them: there, each is a no with its reason."""

from collections.abc import Mapping
from typing import Any


class SubjectMalformed(ValueError):
    """A person was named by a plain text that is not a person id; an address must not end up in a URL or log.

    Use `email(...)`, `phone(...)`, `customer(...)` for what is not an id.
    """


class Refused(Exception):
    """The service understood and said no: a problem document (RFC 9457). `type` is stable, `title` is for people."""

    def __init__(self, status: int, document: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.type = str(document.get("type", "about:blank"))
        self.title = str(document.get("title", f"The service answered {status}"))
        self.request_id = document.get("request_id")
        self.document = document
        self.retry_after = retry_after
        super().__init__(f"{status} {self.type}: {self.title}")


class Unreachable(Exception):
    """No answer, or none that can be understood. `idempotency_key`: send it again with the same call.

    A write that ends so may have happened: repeated with its key, it is answered as it was the first time.
    """

    def __init__(self, why: str, idempotency_key: str | None = None) -> None:
        self.why = why
        self.idempotency_key = idempotency_key
        super().__init__(why)


class ScrubIncomplete(Exception):
    """The list came back without its summary, or with one that does not add up: use nothing of it."""


class FeedBroken(Exception):
    """The change feed has a hole, a repeat, or runs backwards: this reader stops for good."""
