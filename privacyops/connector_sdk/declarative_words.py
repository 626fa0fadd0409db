"""The words a manifest is written in: durations, calls, paths, and parts that refuse what they do not know."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

SECRET_NAMES: Final = (
    "token", "api_key", "key", "secret", "password", "client_id", "client_secret", "signing_secret",
)  # fmt: skip
"""What a manifest may call its secrets, so that the connector's card can name them all."""

_DURATION: Final = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: object) -> object:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration is a number with s, m, h or d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _is_call(text: str) -> str:
    if not re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) /\S.*|(GET|POST|PUT|PATCH|DELETE) /", text):
        raise ValueError("a call is METHOD /path?query")
    if "${" in text:
        raise ValueError("a secret never stands in a path or query")
    return text


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=Annotated[str, StringConstraints(pattern=r"^\d{1,6}[smhd]$")]),
]
CallText = Annotated[str, AfterValidator(_is_call), Field(max_length=2000)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Path = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Body: TypeAlias = Mapping[str, object]
Op = Literal["eq", "eq_ci", "contains_ci"]


class Part(BaseModel):
    """Frozen; an unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
