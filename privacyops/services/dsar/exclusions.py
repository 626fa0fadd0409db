"""What is left out of an answer, in words the customer reads, with its ground in law."""

from collections.abc import Mapping
from typing import Final

from privacyops.domain.answer import Exclusion
from privacyops.domain.catalog.read import refusals_retention
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.redaction.blackout import GROUND
from privacyops.services.dsar.columns import labelled
from privacyops.services.dsar.wording import regime_of

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "THIRD_PARTY_RIGHTS": "The records speak of other people, whose rights they would touch.",
        "TRADE_SECRET_IP": "The records show a trade secret.",
        "LEGAL_PRIVILEGE": "The records are confidential between us and our lawyers.",
        "LEGAL_CLAIMS": "The records are needed to assert or defend legal claims.",
        "LEGAL_OBLIGATION": "A law obliges us to keep the records.",
        "SENSITIVE_ELEMENT_WITHHELD": "The records hold elements that must not be sent; we confirm that we hold them.",
        "NOT_PORTABLE": "The records are not data that you provided by consent or contract.",
        "DISPROPORTIONATE_EFFORT": "Finding more would take an effort out of all proportion.",
        "DATA_ACCURATE": "The records are right as they stand, or tell truly what was written at the time. You may "
        "give us a statement that we keep beside them.",
        "record": "{count} record of {what}",
        "records": "{count} records of {what}",
        "passage": "{count} passage in {what}",
        "passages": "{count} passages in {what}",
        "others": "The passages are about other people, whose rights they would touch. A mark stands in their place.",
    },
    "de": {
        "THIRD_PARTY_RIGHTS": "Die Datensätze handeln von anderen Personen, deren Rechte berührt würden.",
        "TRADE_SECRET_IP": "Die Datensätze zeigen ein Geschäftsgeheimnis.",
        "LEGAL_PRIVILEGE": "Die Datensätze sind zwischen uns und unserer Rechtsberatung vertraulich.",
        "LEGAL_CLAIMS": "Die Datensätze werden gebraucht, um Rechtsansprüche durchzusetzen oder abzuwehren.",
        "LEGAL_OBLIGATION": "Ein Gesetz verpflichtet uns, die Datensätze aufzubewahren.",
        "SENSITIVE_ELEMENT_WITHHELD": "Die Datensätze enthalten Angaben, die nicht versandt werden dürfen; wir "
        "bestätigen, dass wir sie haben.",
        "NOT_PORTABLE": "Die Datensätze haben Sie nicht mit Einwilligung oder im Vertrag bereitgestellt.",
        "DISPROPORTIONATE_EFFORT": "Mehr zu finden wäre unverhältnismäßig aufwendig.",
        "DATA_ACCURATE": "Die Datensätze sind richtig oder geben richtig wieder, was damals geschrieben wurde. Sie "
        "können uns eine Erklärung geben, die wir dazu aufbewahren.",
        "record": "{count} Datensatz aus {what}",
        "records": "{count} Datensätze aus {what}",
        "passage": "{count} Stelle in {what}",
        "passages": "{count} Stellen in {what}",
        "others": "Die Stellen handeln von anderen Personen, deren Rechte berührt würden. An ihrem Platz steht ein "
        "Vermerk.",
    },
}

_IN_ARTICLES: Final = frozenset({"gdpr", "uk"})
"""Laws whose places the catalogue names by the number of the article alone."""


def exclusion_of(dsar: Dsar, code: str | None, count: int, store: str, collection: str) -> Exclusion:
    """One group of withheld records with its code, its reason in words and its article."""
    words = _WORDS.get(dsar.language, _WORDS["en"])
    law = _law(dsar, code)
    what = words["record" if count == 1 else "records"].format(count=count, what=labelled(collection))
    reason = words.get(code or "", _WORDS["en"].get(code or "", code or ""))
    return Exclusion(what, code or "", reason, law, store)


def passages_exclusion(dsar: Dsar, count: int, store: str, collection: str) -> Exclusion:
    """The passages about other people that were taken out of the records of one collection."""
    words = _WORDS.get(dsar.language, _WORDS["en"])
    what = words["passage" if count == 1 else "passages"].format(count=count, what=labelled(collection))
    return Exclusion(what, GROUND, words["others"], _law(dsar, GROUND), store)


def _law(dsar: Dsar, code: str | None) -> str:
    known = next((one for one in refusals_retention().refusal_codes if one.code == code), None)
    return _article(known.law if known else {}, regime_of(dsar.regime))


def _article(law: Mapping[str, str], regime: str) -> str:
    order = {"eu": ("gdpr",), "uk": ("uk", "gdpr"), "us_ca": ("ccpa", "us"), "us_state": ("us", "ccpa")}[regime]
    key = next((key for key in order if key in law), next(iter(law), ""))
    text = law.get(key, "")
    return f"Art. {text}" if key in _IN_ARTICLES and text[:1].isdigit() else text
