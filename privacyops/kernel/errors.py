"""Errors are problem types (RFC 9457). The family owns the status; the class owns the type.

`detail` never holds personal data: it is shown, logged and stored. Anything that is not a `Problem` is a bug
and answers 500 with an id.
"""

from typing import Any, ClassVar


class Problem(Exception):
    """A refusal that the caller can understand and act on.

    `members` are extra members of the problem document (RFC 9457 section 3.2), such as the allowed events.
    """

    type: ClassVar[str] = "about:blank"
    title: ClassVar[str] = "The request was refused"
    status: ClassVar[int] = 400

    def __init__(self, detail: str = "", /, **members: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.members = members


class BadRequest(Problem):
    title = "The request is malformed"
    status = 400


class Unauthenticated(Problem):
    type = "/problems/unauthenticated"
    title = "Sign in or send a valid key"
    status = 401


class Forbidden(Problem):
    type = "/problems/forbidden"
    title = "This account may not do that"
    status = 403


class NotFound(Problem):
    type = "/problems/not-found"
    title = "Nothing is known under this address"
    status = 404


class Conflict(Problem):
    type = "/problems/conflict"
    title = "The state does not permit this"
    status = 409


class Gone(Problem):
    type = "/problems/gone"
    title = "This has ended"
    status = 410


class TooLarge(Problem):
    type = "/problems/too-large"
    title = "The request is too large"
    status = 413


class MediaTypeRefused(Problem):
    type = "/problems/media-type"
    title = "Send the content in a form that is documented for this address"
    status = 415


class Unprocessable(Problem):
    type = "/problems/unprocessable"
    title = "The values do not fit together"
    status = 422


class RateLimited(Problem):
    """Send `retry_after_s` as a member; the doors turn it into a Retry-After header."""

    type = "/problems/rate-limited"
    title = "Too many requests"
    status = 429


class Unavailable(Problem):
    type = "/problems/unavailable"
    title = "The service cannot do this now"
    status = 503


class StaleState(Conflict):
    type = "/problems/stale-state"
    title = "Somebody else changed this in the meantime; reload and look again"


class TransitionRefused(Conflict):
    """An event that the state machine does not list for the present state; `allowed` names those it does."""

    type = "/problems/transition-refused"
    title = "This step is not possible now"
