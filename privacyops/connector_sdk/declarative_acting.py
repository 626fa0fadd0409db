"""The acting half of a manifest: conditions, steps, jobs, masks, the read-back, and what comes in by webhook."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from privacyops.connector_sdk.declarative_words import Body, CallText, Duration, Part, Path, Slug


class Condition(Part):
    """Must hold, or must not; on the answer of `call`, else on the row as it is read."""

    must: str | None = None
    must_not: str | None = Field(default=None, alias="not")
    text: Slug
    remedy: Slug
    call: CallText | None = Field(default=None, alias="check")
    body: Body | None = None
    each: Slug | None = None

    @model_validator(mode="after")
    def _one(self) -> "Condition":
        if (self.must is None) == (self.must_not is None):
            raise ValueError("one of must and not")
        return self


class Batch(Part):
    """At most `max` rows a call. `one_kind`: all of one resource, which is how this engine batches anyway."""

    max: Annotated[int, Field(ge=1)]
    one_kind: Literal[True] = True


class Idempotency(Part):
    """`value: step` is a key of its own for each request, row and act."""

    header: str
    value: Literal["step"] = "step"


class Poll(Part):
    """`verify: true` in place of a call: the job has no id, the read-back tells."""

    call: CallText | None = None
    verify: bool = False
    path: Path | None = None
    every: Duration = timedelta(seconds=60)
    backoff: Annotated[float, Field(ge=1, le=10)] = 1.0
    until: tuple[str, ...] = ()
    fail_on: tuple[str, ...] = ()
    partial_on: tuple[str, ...] = ()
    timeout: Duration = timedelta(days=7)

    @model_validator(mode="after")
    def _one(self) -> "Poll":
        if (self.call is None) == (not self.verify) or (self.call is not None and not (self.path and self.until)):
            raise ValueError("poll is a call with path and until, or verify")
        return self


class Run(Part):
    """A validated job is started, and ends with one of `until`."""

    call: CallText
    until: tuple[str, ...]
    fail_on: tuple[str, ...] = ()
    timeout: Duration = timedelta(days=7)


class Callback(Part):
    """The service tells the end through its webhook: `match` PATH in the event equals the job's id."""

    topic: str
    match: Path
    timeout: Duration = timedelta(days=30)


class Then(Part):
    call: CallText
    body: Body | None = None
    not_found_is: Literal["already"] | None = None


class Job(Part):
    """`id` PATH in the answer, or none."""

    id: Path | Literal["none"] = "none"
    poll: Poll | None = None
    run: Run | None = None
    cancel: CallText | Then | None = None
    callback: Callback | None = None

    @model_validator(mode="after")
    def _one(self) -> "Job":
        if (self.poll is None) == (self.callback is None):
            raise ValueError("a job has a poll or a callback")
        return self


class Act(Part):
    """A step that erases rows of `each`, in the order of the list.

    `takes`: resources whose rows are touched too. `listed`: they go, and every one must be in the plan; `any`: they go,
    and are that person's alone; `masked`: they stay without the person.
    """

    id: Slug
    kind: Literal["sync", "job"] = "sync"
    call: CallText
    body: Body | None = None
    each: Slug
    batch: Batch | None = None
    idempotency: Idempotency | None = None
    needs_version: str | None = None
    not_found_is: Literal["already"] | None = None
    irreversible: bool = False
    bucket: Slug = "default"
    then: Then | None = None
    job: Job | None = None
    takes: Mapping[str, Literal["listed", "any", "masked"]] = {}

    @model_validator(mode="after")
    def _job(self) -> "Act":
        if (self.kind == "job") != (self.job is not None):
            raise ValueError("kind job goes with job")
        return self


class Mask(Part):
    """How cells of a kept row are written: the changes stand at `at` PATH of the body. `fields`: what may be set, and
    what the service insists on in place of the plan's value (`asked`: nothing, the plan's is taken).
    """

    call: CallText
    body: Body | None = None
    at: str = ""
    fields: Mapping[str, str | int | bool | None]
    bucket: Slug = "default"


class Retained(Part):
    """What stays after an erasure, why, and until when: a date, `policy`, or none."""

    what: str
    code: str
    until: str = "none"


class Must(Part):
    masked: tuple[str, ...] = ()
    flagged: Mapping[str, object] = {}


class Verify(Part):
    """The read-back. With `{value}` it is asked in every search too, so that what is archived is found."""

    call: CallText
    body: Body | None = None
    must: Literal["empty"] | Must
    rows: str | None = None
    row: str = ""
    via: str = ""
    resource: Slug | None = None
    first_after: Duration = timedelta(0)
    again_after: Duration | None = None


class Signature(Part):
    """`secret` is the name of a secret setting; `prefix` stands before the digest in the header.

    `signs` is what the digest is taken of, with full stops between; `time` (seconds since 1970) and `id` name the
    headers of the other two. A signed time that is five minutes off is refused.
    """

    scheme: Literal["hmac-sha256-base64", "hmac-sha256-hex", "equal"]
    header: str
    secret: str
    prefix: str = ""
    signs: Literal["body", "time.body", "id.time.body"] = "body"
    time: str | None = None
    id: str | None = None

    @model_validator(mode="after")
    def _names_what_it_signs(self) -> "Signature":
        if ("time" in self.signs) != (self.time is not None) or ("id" in self.signs) != (self.id is not None):
            raise ValueError("time and id name the headers that are signed, and no others")
        if self.scheme == "equal" and self.signs != "body":
            raise ValueError("a secret that is only compared signs nothing")
        return self


class Inbound(Part):
    """Webhooks of the service: `topic_in` names the header, or PATH of the body, that tells the topic.

    `topics` say what each asks for: `job` for a job's callback, the type of a request (`access`, `erasure`) whose
    person stands at the paths of `map`, or `uninstalled`. `delivery` names the header with the number of a delivery.
    """

    path: str
    signature: Signature
    topic_in: str
    topics: Mapping[str, str]
    map: Mapping[str, Path] = {}
    delivery: str | None = None


class ErrorRule(Part):
    """`code` is looked for in the answer's usual places, or at `path`; a rule with `path` alone: something is there.

    A rule without status holds for every answer, 200 included.
    """

    status: int | None = None
    code: str | None = None
    path: Path | None = None
    becomes: Literal["Retriable", "NothingHeld", "Misconfigured", "Terminal", "already", "conflict", "blocked"] = Field(
        alias="is"
    )
    after: Duration | None = None
    setting: Slug | None = None


class Forbid(Part):
    params: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


class Fallback(Part):
    """What a person does where no call can: the sentence of the task."""

    task: str
    fields: tuple[str, ...] = ()
