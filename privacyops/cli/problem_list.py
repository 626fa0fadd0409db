"""The problem types that the service may answer with, as a page."""

from collections.abc import Iterator

from privacyops.kernel.errors import Problem

_HEAD = """\
# Problem types

Every error of the JSON door is a problem document (RFC 9457). `type` is stable; decide by it and by `status`, show
`title`, and send us `request_id`. Generated from the code by `privacyops openapi --write`.

| type | status | title |
|---|---|---|
"""


def as_markdown() -> str:
    """One row for each type, by name."""
    import privacyops.adapters.package.pdf
    import privacyops.main
    import privacyops.services.consent.copying  # noqa: F401 - the doors, and what they load at its first use, know all

    rows = sorted({(one.type, one.status, one.title) for one in _subclasses(Problem) if one.type != "about:blank"})
    return _HEAD + "".join(f"| `{type_}` | {status} | {title} |\n" for type_, status, title in rows)


def _subclasses(of: type[Problem]) -> Iterator[type[Problem]]:
    for one in of.__subclasses__():
        yield one
        yield from _subclasses(one)
