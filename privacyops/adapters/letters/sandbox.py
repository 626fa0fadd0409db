"""Where letter templates run: they may print, choose and repeat the letter's own values, and nothing else."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from privacyops.domain.letter import TemplateRefused

_LONGEST: Final = 20_000  # characters; a letter of ten pages has about 20,000
_DEEPEST_LOOP: Final = 2  # a list of items with a list of lines each; deeper nesting only multiplies work
_ALLOWED: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.If,
    nodes.For,
    nodes.Filter,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
)
_PRINTED: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_VALUE: Final = "\x00"
_TAG: Final = re.compile(
    rf"</?(?:p|h2|h3|ul|ol|li|strong|em)>|<br>|</a>|<a href=\"(?:{_VALUE}|(?:https://|mailto:)[^\"<>{_VALUE}]*)\">"
)
_LOOP_WORDS: Final = frozenset({"loop"})


class LetterEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox without its leftovers: no globals, no tests, only the letter's own filters."""

    def __init__(self, filters: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        self.globals.clear()
        self.tests.clear()
        self.filters.clear()
        self.filters.update(filters)

    def require_plain(self, source: str, names: frozenset[str]) -> None:
        """Say yes to an edited template by returning.

        Raises: TemplateRefused: it is too long, does not parse, names something outside `names`, or uses more
        than printing, choosing and repeating (a call, a macro, arithmetic, another template).
        """
        if len(source) > _LONGEST:
            raise TemplateRefused(f"a template has at most {_LONGEST} characters")
        try:
            tree = self.parse(source)
        except TemplateError as broken:
            raise TemplateRefused("the template does not parse", line=getattr(broken, "lineno", None)) from None
        rest = _TAG.sub("", _PRINTED.sub(_VALUE, source))
        if "<" in rest or _VALUE in source:
            raise TemplateRefused("only p, h2, h3, ul, ol, li, strong, em, br and plain links are allowed")
        bound = frozenset(
            name.name for loop in tree.find_all(nodes.For) for name in loop.target.find_all(nodes.Name)
        ) | frozenset(loop.target.name for loop in tree.find_all(nodes.For) if isinstance(loop.target, nodes.Name))
        self._walk(tree, names | bound | _LOOP_WORDS, 0)

    def _walk(self, node: nodes.Node, names: frozenset[str], loops: int) -> None:
        if not isinstance(node, _ALLOWED):
            raise TemplateRefused("letters only print, choose and repeat", line=node.lineno)
        if isinstance(node, nodes.Name) and node.name not in names:
            raise TemplateRefused(f"unknown value {node.name[:60]!r}", line=node.lineno)
        if isinstance(node, nodes.Filter) and node.name not in self.filters:
            raise TemplateRefused(f"unknown filter {node.name[:60]!r}", line=node.lineno)
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise TemplateRefused("names that begin with an underscore stay inside", line=node.lineno)
        if isinstance(node, nodes.For):
            loops += 1
            if loops > _DEEPEST_LOOP or node.recursive:
                raise TemplateRefused("lists may be nested once", line=node.lineno)
        for child in node.iter_child_nodes():
            self._walk(child, names, loops)
