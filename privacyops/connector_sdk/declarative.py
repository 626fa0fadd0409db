"""The manifest of a web service: data that says how to ask, act and read back. It runs no code and knows no secret.

`declarative.schema.json` is written from these models, for editors; the models are the judge. Unknown keys are
refused. Durations are `30s`, `5m`, `24h`, `7d`. CALL is `METHOD /path?query` with placeholders: `{value}` (the
identifier), `{row.x}`, `{config.x}`, `{result.x}`; a bare `{x}` is row, then config, then region. PATH is dotted with
`[*]`, `[0]` and `[-1]`; CONDITION is `path[field op value and ...]` or `path op value` with `= != < > in exists`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from privacyops.connector_sdk.declarative_acting import (
    Act,
    Condition,
    ErrorRule,
    Fallback,
    Forbid,
    Inbound,
    Mask,
    Retained,
    Verify,
)
from privacyops.connector_sdk.declarative_words import Body, CallText, Duration, Op, Part, Path, Slug


class Setting(Part):
    """What the operator fills in. A secret is a reference and its name one of SECRET_NAMES."""

    title: str = ""
    type: Literal["text", "choice", "url", "integer"] = "text"
    choices: tuple[str, ...] = ()
    secret: bool = False
    default: str | int | None = None


class Basic(Part):
    user: str
    password: str = ""


class Header(Part):
    name: str
    value: str


class OAuth2(Part):
    """Client credentials; the token is renewed before it ends and after a 401."""

    token_url: str
    id: str
    secret: str
    scope: str = ""


class Auth(Part):
    """Exactly one of the four."""

    bearer: str | None = None
    basic: Basic | None = None
    header: Header | None = None
    oauth2_client: OAuth2 | None = None

    @model_validator(mode="after")
    def _one(self) -> "Auth":
        if sum(each is not None for each in (self.bearer, self.basic, self.header, self.oauth2_client)) != 1:
            raise ValueError("auth is one of bearer, basic, header, oauth2_client")
        return self


class Client(Part):
    """`encoding` is how bodies are written; `file_hosts` are further hosts that attachments may lie on."""

    base_url: str
    auth: Auth
    headers: Mapping[str, str] = {}
    timeout: Duration = timedelta(seconds=15)
    encoding: Literal["json", "form"] = "json"
    file_hosts: tuple[str, ...] = ()


class Bucket(Part):
    """`limit` calls each `per`; `burst` at once (default: the limit)."""

    bucket: Slug = "default"
    per: Duration = timedelta(seconds=1)
    limit: Annotated[int, Field(ge=1)]
    burst: Annotated[int, Field(ge=1)] | None = None
    concurrency: Annotated[int, Field(ge=1)] = 1
    retry_after: bool = True


class Paging(Part):
    """One style: `cursor` PATH of the next one (parameter `param`, `body.x` for one in the body), `link` relation of
    the Link header or `url` PATH of the next address (`param` is the one parameter taken out of it), or
    `number`/`offset`, the parameter that counts. `more` PATH is false at the end. `size` rows are asked
    for a page; the service may give fewer, so counted pages end with an empty one unless `more` tells.
    """

    cursor: Path | None = None
    param: str | None = None
    link: str | None = None
    url: Path | None = None
    number: str | None = None
    offset: str | None = None
    size: Annotated[int, Field(ge=1)] | None = None
    more: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> "Paging":
        if sum(each is not None for each in (self.cursor, self.link, self.url, self.number, self.offset)) != 1:
            raise ValueError("page is one of cursor, link, url, number, offset")
        if (self.number or self.offset) and self.size is None:
            raise ValueError("number and offset need size")
        if (self.link or self.url) and self.param is None:
            raise ValueError("link and url need param")
        return self


class Asked(Part):
    """A call that answers with rows. `rows` PATH leads to them; empty: the answer itself is the list, or one row.

    `only` CONDITION: which of them are rows of this resource. `via`: another of the service's addresses (`clients`).
    """

    call: CallText
    body: Body | None = None
    rows: str = ""
    only: str | None = None
    page: Paging | None = None
    bucket: Slug = "default"
    via: str = ""


class Locate(Asked):
    """How a person is found by one kind of identifier: `match` names the fields that must agree. An answer that does
    not repeat the identifier is taken at its word.
    """

    resource: Slug
    match: Mapping[str, Op]
    hash: Literal["md5-lower", "sha256-lower", "raw"] = "raw"
    when: str | None = None


class One(Part):
    """How one row is read by its key. `row` PATH leads to it; empty: the answer itself."""

    call: CallText
    body: Body | None = None
    row: str = ""
    bucket: Slug = "default"
    via: str = ""


class Export(Asked):
    """With `rows`: the rows under the parent's row. Without: the row itself, `row` PATH leads to it.

    `one` reads a single row of a resource that is listed under its parent; `files` PATH leads to addresses of files.
    """

    row: str = ""
    one: One | None = None
    files: Path | None = None


class Cell(Part):
    """A field of a resource. `at` PATH leads to it; `volatile`: it changes by itself, which is no conflict."""

    type: Literal["text", "integer", "number", "boolean", "date", "instant", "json", "array", "file"] = "text"
    category: str = ""
    at: Path | None = None
    volatile: bool = False


class BelongsTo(Part):
    """`by` is the field that points at the parent, at its key or at its field `to`."""

    resource: Slug
    by: str
    to: str | None = None
    ownership: Literal["owned", "shared", "pointer"] = "owned"


class Resource(Part):
    """`deleted` CONDITION: rows so marked are deleted softly, and not gone. `title` is for people."""

    key: str | tuple[str, ...]
    fields: Mapping[str, Cell]
    belongs_to: BelongsTo | None = None
    deleted: str | None = None
    title: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The key's fields."""
        return (self.key,) if isinstance(self.key, str) else self.key


class Test(Part):
    """Harmless calls. `write: none`: nothing harmless proves the right to write."""

    read: CallText
    body: Body | None = None
    write: CallText | Literal["none"] = "none"
    expect: Mapping[str, object] = {}


class Manifest(Part):
    """One service."""

    id: Slug
    title: str = ""
    version: Annotated[int, Field(ge=1)]
    checked: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    sources: Annotated[tuple[Annotated[str, StringConstraints(pattern=r"^https://\S+$")], ...], Field(min_length=1)]
    plan: str = ""
    licence: str = ""
    regulation_window: Duration | None = None
    expires: Duration | None = None
    config: Mapping[Slug, Setting] = {}
    region: Mapping[Slug, Mapping[str, str]] = {}
    scopes: tuple[str, ...] = ()
    client: Client
    clients: Mapping[Slug, Client] = {}
    rate: Bucket | tuple[Bucket, ...] = ()
    test: Test
    resources: Annotated[Mapping[Slug, Resource], Field(min_length=1)]
    locate: Annotated[Mapping[Slug, Locate | tuple[Locate, ...]], Field(min_length=1)]
    list: Mapping[Slug, Asked] = {}
    export: Mapping[Slug, Export] = {}
    preflight: tuple[Condition, ...] = ()
    stop_inflow: tuple[Condition, ...] = ()
    dry_run: tuple[Condition, ...] = ()
    warn: tuple[Slug, ...] = ()
    act: tuple[Act, ...] = ()
    mask: Mapping[Slug, Mask] = {}
    retained: tuple[Retained, ...] = ()
    verify: Verify | Literal["impossible"]
    inbound: Inbound | None = None
    errors: tuple[ErrorRule, ...] = ()
    forbid: Forbid = Forbid()
    fallback: Fallback | None = None
