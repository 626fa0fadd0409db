"""The plain subset of YAML in which law is written down: text, numbers, true, false, null, lists and maps.

The guesses of YAML 1.1 are left out: NO stays a country, 2026-01-01 stays text, 12:30 stays a time.
"""

import re
from collections.abc import Hashable
from typing import Any, ClassVar, Final

import yaml

DEEPEST: Final = 50

_Base = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class TextMalformed(ValueError):
    """The text is not YAML, or holds something outside the plain subset; the message names the line."""


class _PlainLoader(_Base):  # type: ignore[misc, valid-type]  # the base depends on how PyYAML was built
    """The safe loader without implicit dates, sexagesimal numbers and words for booleans."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise TextMalformed(f"line {line}: a key has to be text, {key!r} is not; put it in quotes")
            if key in seen:
                raise TextMalformed(f"line {line}: the key {key!r} occurs twice")
            seen.add(key)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?[0-9]+\.[0-9]+", "-0123456789"),
):
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def parse_plain_yaml(text: str) -> Any:
    """The value that `text` writes down.

    Raises: TextMalformed: not YAML, a key twice, a key that is no text, an alias, a tag that asks for an object, or
    more than DEEPEST levels.
    """
    try:
        _refuse_depth_and_aliases(text)
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - a subclass of the safe loader
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        where = "" if mark is None else f"line {mark.line + 1}: "
        raise TextMalformed(f"{where}{getattr(wrong, 'problem', None) or 'this is not YAML'}") from None
    except TextMalformed:
        raise
    except ValueError:
        raise TextMalformed("a value is not what its tag says") from None


def write_plain_yaml(value: Any) -> str:
    """YAML that `parse_plain_yaml` reads back as the same value."""
    return str(yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=110))


def _refuse_depth_and_aliases(text: str) -> None:
    """The composer of libyaml calls itself for every level and takes the process down where they are many."""
    depth = 0
    for event in yaml.parse(text, Loader=_PlainLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            raise TextMalformed(f"{_place(event)}aliases are not read")
        if depth > DEEPEST:
            raise TextMalformed(f"{_place(event)}more than {DEEPEST} levels")


def _place(event: yaml.Event) -> str:
    return "" if event.start_mark is None else f"line {event.start_mark.line + 1}: "
