"""Drafts and their publication: a person says whether a new version still covers what people agreed to before."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privacyops.kernel.errors import Unprocessable

_SHORTEST_REASON: Final = 5


class DraftKind(StrEnum):
    PURPOSE = "purpose"
    NOTICE = "notice"


class MaterialityNotJudged(Unprocessable):
    """A second or later version says whether it is a material change, why, and who judged that."""

    type = "/problems/materiality-not-judged"
    title = "Say whether older consent still covers this version, why, and who decided that"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether the change is material: then older grants do not cover the new version. `by` is the person's name."""

    is_material: bool
    reason: str
    by: str

    def require_whole(self) -> None:
        """Raises: MaterialityNotJudged: no reason, or nobody's."""
        if len(self.reason.strip()) < _SHORTEST_REASON or not self.by.strip():
            raise MaterialityNotJudged
