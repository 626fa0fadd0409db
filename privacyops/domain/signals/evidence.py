"""Consent strings in evidence: the string is kept as it came, and beside it what it says."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from privacyops.domain.signals.bits import ConsentStringUndecodable
from privacyops.domain.signals.gpp import decode_gpp
from privacyops.domain.signals.tcf import decode_tcf

_DECODERS: Final[Mapping[str, Callable[[str], Mapping[str, Any]]]] = {
    "tcf": lambda text: decode_tcf(text).summary(),
    "gpp": lambda text: decode_gpp(text).summary(),
}


def with_summaries(evidence: Mapping[str, Any] | None, *, grants: bool) -> Mapping[str, Any] | None:
    """The evidence with `tcf_summary` and `gpp_summary` where it holds such strings; nothing else is changed.

    `grants`: something is granted along with it. A no is never refused for its evidence: its summary then says
    that the string cannot be read. Raises: ConsentStringUndecodable: an unreadable string beside a grant.
    """
    if not evidence or not _DECODERS.keys() & evidence.keys():
        return evidence
    whole = dict(evidence)
    for name in _DECODERS.keys() & evidence.keys():
        try:
            whole[f"{name}_summary"] = _decoded(name, evidence[name])
        except ConsentStringUndecodable as refused:
            if grants:
                raise
            whole[f"{name}_summary"] = {"undecodable": refused.code}
    return whole


def _decoded(name: str, text: object) -> dict[str, Any]:
    if not isinstance(text, str):
        raise ConsentStringUndecodable("not_text")
    return dict(_DECODERS[name](text))
