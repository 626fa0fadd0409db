"""Notices: what a person was shown before choosing. A version is immutable once published and stays readable.

Source: ISO/IEC 29184:2020 section 5 (the parts); EDPB Guidelines 05/2020 (granularity, no preselection).
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from privacyops.domain.purpose import PurposeFlag, PurposeVersion, Regime
from privacyops.kernel.errors import Unprocessable
from privacyops.kernel.record import record
from privacyops.ledger.leaf import Json, canonical


class NoticeLintFailed(Unprocessable):
    """The member `findings` lists what is missing, as code and place."""

    type = "/problems/notice-lint-failed"
    title = "The notice lacks something that a person has to be told"


class NoticeMalformed(Unprocessable):
    type = "/problems/notice-malformed"
    title = "This is not a notice; the detail names the rule"


class Part(StrEnum):
    """What a notice has to say; the number is the section of the standard."""

    PURPOSES = "purposes"
    CONTROLLER = "controller"
    DATA = "data"
    COLLECTION = "collection"
    TIME_AND_PLACE = "time_and_place"
    USE = "use"
    STORAGE = "storage"
    TRANSFER = "transfer"
    RETENTION = "retention"
    RIGHTS_AND_WITHDRAWAL = "rights_and_withdrawal"
    COMPLAINT = "complaint"
    CHOICES = "choices"
    BASIS = "basis"
    RISKS = "risks"


_ID: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-[0-9]{3})?")
SECTION: Final[Mapping[Part, str]] = {
    Part.PURPOSES: "5.3.2",
    Part.CONTROLLER: "5.3.4",
    Part.DATA: "5.3.5",
    Part.COLLECTION: "5.3.6",
    Part.TIME_AND_PLACE: "5.3.7",
    Part.USE: "5.3.8",
    Part.STORAGE: "5.3.9",
    Part.TRANSFER: "5.3.10",
    Part.RETENTION: "5.3.11",
    Part.RIGHTS_AND_WITHDRAWAL: "5.3.12",
    Part.COMPLAINT: "5.3.13",
    Part.CHOICES: "5.3.14",
    Part.BASIS: "5.3.15",
    Part.RISKS: "5.3.16",
}


@record(frozen=True, slots=True)
class NoticeRef:
    """Which text a person saw: the version, its language, and the digest of exactly that text."""

    id: str
    version: int
    locale: str
    sha256: str

    def to_json(self) -> dict[str, str | int]:
        return {"id": self.id, "v": self.version, "locale": self.locale, "sha256": self.sha256}

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> "NoticeRef":
        return cls(body["id"], body["v"], body["locale"], body["sha256"])


@dataclass(frozen=True, slots=True)
class NoticeVersion:
    """`texts` holds, per BCP 47 locale, the words of each part.

    `bundles` are groups of purposes behind one switch; `preselected` are purposes whose box comes ticked.
    """

    id: str
    version: int
    texts: Mapping[str, Mapping[Part, str]]
    purposes: tuple[str, ...]
    bundles: tuple[tuple[str, ...], ...] = ()
    preselected: frozenset[str] = frozenset()
    is_material: bool = True
    material_reason: str = ""
    judged_by: str = ""

    def canonical_text(self, locale: str) -> bytes:
        """Canonical JSON of id, version, locale and parts in NFC: what is hashed, and served, byte for byte.

        Raises: KeyError: the notice has no text in `locale`.
        """
        parts: Json = {str(part): unicodedata.normalize("NFC", text) for part, text in self.texts[locale].items()}
        body: Json = {"id": self.id, "version": self.version, "locale": locale, "parts": parts}
        return canonical(body)

    def digest(self, locale: str) -> str:
        """SHA-256 in hex over `canonical_text`. Raises: KeyError: the notice has no text in `locale`."""
        return sha256(self.canonical_text(locale)).hexdigest()

    def ref(self, locale: str) -> NoticeRef:
        """Raises: KeyError: the notice has no text in `locale`."""
        return NoticeRef(self.id, self.version, locale, self.digest(locale))

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "version": self.version,
            "texts": {
                locale: {str(part): text for part, text in parts.items()} for locale, parts in self.texts.items()
            },
            "purposes": list(self.purposes),
            "bundles": [list(bundle) for bundle in self.bundles],
            "preselected": sorted(self.preselected),
            "material": "yes" if self.is_material else "no",
            "material_reason": self.material_reason,
            **({"judged_by": self.judged_by} if self.judged_by else {}),
        }

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> "NoticeVersion":
        """The version that `to_json` or a file wrote. Raises: NoticeMalformed."""
        try:
            notice = cls(
                id=body["id"],
                version=body["version"],
                texts={
                    loc: {Part(part): str(text) for part, text in parts.items()} for loc, parts in body["texts"].items()
                },
                purposes=tuple(body["purposes"]),
                bundles=tuple(tuple(bundle) for bundle in body.get("bundles", ())),
                preselected=frozenset(body.get("preselected", ())),
                is_material=body.get("material", "yes") == "yes",
                material_reason=body.get("material_reason", ""),
                judged_by=body.get("judged_by", ""),
            )
        except KeyError as missing:
            raise NoticeMalformed(f"the member {missing} is missing") from None
        except (TypeError, ValueError, AttributeError):
            raise NoticeMalformed("a member has a value that is not allowed there") from None
        if not _ID.fullmatch(notice.id) or not all(_LOCALE.fullmatch(locale) for locale in notice.texts):
            raise NoticeMalformed("an id has small letters, digits, - and _; a locale is written as in de-DE")
        return notice


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One reason not to publish. `place` is a locale and part, or a purpose."""

    code: str
    place: str


def lint(
    notice: NoticeVersion, published: Iterable[PurposeVersion], languages: Iterable[str] = ()
) -> Sequence[LintFinding]:
    """Everything that forbids publishing `notice`, in a stable order; empty when it may be published.

    `published` are the purposes' current versions; `languages` those in which the controller speaks to people: each
    needs a text, in whichever region's spelling.
    """
    purposes = {purpose.key: purpose for purpose in published}
    found = [LintFinding("locale-missing", "*")] if not notice.texts else []
    spoken = {locale.partition("-")[0] for locale in notice.texts}
    found += [LintFinding("locale-missing", language) for language in languages if language not in spoken]
    for locale, parts in sorted(notice.texts.items()):
        found += [
            LintFinding("part-empty", f"{locale}/{SECTION[part]} {part}")
            for part in Part
            if not parts.get(part, "").strip()
        ]
    found += [LintFinding("purpose-unpublished", key) for key in notice.purposes if key not in purposes]
    found += [
        LintFinding("purpose-retired", key) for key in notice.purposes if key in purposes and purposes[key].is_retired
    ]
    if not notice.purposes:
        found.append(LintFinding("purpose-missing", "*"))
    for bundle in notice.bundles:
        kinds = {purposes[key].has(PurposeFlag.STRICTLY_NECESSARY) for key in bundle if key in purposes}
        if len(kinds) > 1:
            found.append(LintFinding("optional-bundled-with-necessary", "+".join(bundle)))
    found += [
        LintFinding("preselected-under-opt-in", key)
        for key in sorted(notice.preselected)
        if key in purposes and any(g.regime is Regime.OPT_IN for g in purposes[key].grounds.values())
    ]
    return found


def require_publishable(
    notice: NoticeVersion, published: Iterable[PurposeVersion], languages: Iterable[str] = ()
) -> None:
    """Raises: NoticeLintFailed: `lint` found something; `findings` lists it."""
    findings = lint(notice, published, languages)
    if findings:
        raise NoticeLintFailed(findings=[{"code": finding.code, "place": finding.place} for finding in findings])
