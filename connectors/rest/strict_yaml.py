"""YAML 1.2 of the plain kind: text, numbers, true, false, null, lists and maps.

`NO` and `on` are words, `2026-11-22` and `12:30` are texts. A key twice, a key that is no text, an alias, a tag, a
second document, over 50 levels or over 256 KiB: refused, with the line.
"""

import re
from collections.abc import Hashable
from typing import Any, ClassVar, Final

import yaml

DEEPEST: Final = 50
LARGEST: Final = 262_144

_CORE: Final = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
)
"""The core schema of YAML 1.2.2, section 10.3.2, without infinity and not-a-number."""


class YamlRefused(ValueError):
    """Not the YAML that is read here. The message names the line and quotes no value."""


class _CoreLoader(yaml.SafeLoader):
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]  # the base sets it as a class does

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise YamlRefused(f"line {line}: a key has to be text; put it in quotes")
            if key in seen:
                raise YamlRefused(f"line {line}: a key occurs twice")
            seen.add(key)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def _whole_number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = node.value
    return int(text, 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10)


for _tag, _pattern, _first in _CORE:
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
_CoreLoader.add_constructor("tag:yaml.org,2002:int", _whole_number)


def parse_strict(text: str) -> Any:
    """The value that `text` writes down. Raises: YamlRefused."""
    if len(text.encode()) > LARGEST:
        raise YamlRefused("the file is over 256 KiB")
    try:
        _refuse_events(text)
        return yaml.load(text, Loader=_CoreLoader)  # noqa: S506 - a subclass of the safe loader
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        raise YamlRefused(f"line {mark.line + 1}: this is not YAML" if mark else "this is not YAML") from None


def _refuse_events(text: str) -> None:
    depth = documents = 0
    for event in yaml.parse(text, Loader=_CoreLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        line = 0 if event.start_mark is None else event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlRefused(f"line {line}: anchors and aliases are not read")
        if getattr(event, "tag", None):
            raise YamlRefused(f"line {line}: tags are not read")
        if depth > DEEPEST:
            raise YamlRefused(f"line {line}: more than {DEEPEST} levels")
        if documents > 1:
            raise YamlRefused(f"line {line}: a second document")
