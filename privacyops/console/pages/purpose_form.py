"""A purpose as a form and back again, and as facts that people read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from privacyops.console import words
from privacyops.console.forms import Form, Refused
from privacyops.domain.purpose import (
    ANYWHERE,
    CHANNELS,
    LegalBasis,
    PurposeFlag,
    PurposeMalformed,
    PurposeVersion,
    Regime,
)
from privacyops.services.retiring import Effects

BLANK_ROWS: Final = 2
MOST_ROWS: Final = 60
_BASES: Final = {
    LegalBasis.CONSENT: "Consent", LegalBasis.EXPLICIT_CONSENT: "Explicit consent", LegalBasis.CONTRACT: "Contract",
    LegalBasis.LEGAL_OBLIGATION: "Legal obligation", LegalBasis.VITAL_INTERESTS: "Vital interests",
    LegalBasis.PUBLIC_TASK: "Public task", LegalBasis.LEGITIMATE_INTERESTS: "Legitimate interests",
    LegalBasis.SOFT_OPT_IN: "Existing customer (soft opt-in)",
    LegalBasis.STRICTLY_NECESSARY: "Strictly necessary on the device",
}  # fmt: skip
_REGIMES: Final = {
    Regime.OPT_IN: "no (opt-in)", Regime.OPT_OUT: "yes (opt-out)", Regime.NONE: "nothing: it is not asked",
}  # fmt: skip
BASES: Final = [{"value": str(key), "label": label} for key, label in _BASES.items()]
REGIMES: Final = [{"value": str(key), "label": label} for key, label in _REGIMES.items()]
FLAGS: Final[Mapping[PurposeFlag, tuple[str, str]]] = {
    PurposeFlag.DIRECT_MARKETING: ("direct marketing", "An objection to advertising ends it at once."),
    PurposeFlag.GPC_COVERED: ("covered by the browser's signal", "Sale, sharing, targeted advertising."),
    PurposeFlag.SPECIAL_CATEGORY: ("special category", "Health, beliefs and the like: explicit consent alone counts."),
    PurposeFlag.SERVICE_MESSAGE: ("service message", "The contract needs it: a marketing stop leaves it alone."),
    PurposeFlag.STRICTLY_NECESSARY: ("strictly necessary", "Without it the service that was asked for fails."),
}
_PLACE: Final = re.compile(r"\*|[A-Z]{2}(-[A-Z0-9]{1,3})?")
_FIELD_OF: Final = (
    ("a purpose has a key", "key"), ("a title", "title"), ("double opt-in", "confirmed_in"), ("period", "valid_for"),
    ("one channel", "channels"), ("legal basis", "place-0"), ("regime", "place-0"), ("consent", "place-0"),
)  # fmt: skip


def languages(one: PurposeVersion | None, spoken: Iterable[str]) -> list[str]:
    """In which languages titles are asked for: those that the controller speaks, and those that are there."""
    return list(dict.fromkeys([*spoken, *(sorted(one.titles) if one else ())]))


def values_of(one: PurposeVersion | None, spoken: Iterable[str]) -> dict[str, str]:
    """The form filled with a version; of a new purpose, with what most begin with."""
    if one is None:
        return {"place-0": ANYWHERE, "basis-0": str(LegalBasis.CONSENT), "regime-0": str(Regime.OPT_IN),
                "scope": "brand", "on_notice_outdated": "deny"}  # fmt: skip
    values = {
        "valid_for": words.period(one.valid_for or ""), "retention": words.period(one.retention or ""),
        "dpv": one.dpv or "",
        "data_categories": "\n".join(one.data_categories), "recipients": "\n".join(one.recipients),
        "scope": str(one.scope), "on_notice_outdated": str(one.on_notice_outdated),
        "confirmed_in": "\n".join(f"{ch}: {' '.join(sorted(at))}" for ch, at in sorted(one.confirmed_in.items())),
    }  # fmt: skip
    values |= {f"title-{code}": one.titles.get(code, "") for code in languages(one, spoken)}
    for number, (place, ground) in enumerate(sorted(one.grounds.items())):
        values |= {f"place-{number}": place, f"basis-{number}": str(ground.basis),
                   f"regime-{number}": str(ground.regime),
                   f"override-{number}": "yes" if ground.gpc_override else ""}  # fmt: skip
    return values


def ground_rows(values: Mapping[str, str]) -> list[int]:
    """The numbers of the rows to draw: those that are filled in, and some blank ones."""
    filled = [number for number in range(MOST_ROWS) if values.get(f"place-{number}")]
    return list(range(min((max(filled) + 1 if filled else 0) + BLANK_ROWS, MOST_ROWS)))


def channel_boxes(configured: Iterable[str], chosen: set[str]) -> list[dict[str, Any]]:
    """Every channel of the house."""
    keys = list(dict.fromkeys([*CHANNELS, *sorted(configured)]))
    return [{"value": key, "label": key, "checked": key in chosen} for key in keys]


def flag_boxes(chosen: set[str]) -> list[dict[str, Any]]:
    """What is special about the purpose."""
    return [
        {"value": str(flag), "label": label[:1].upper() + label[1:], "hint": hint, "checked": str(flag) in chosen}
        for flag, (label, hint) in FLAGS.items()
    ]


def body_of(form: Form, base: Mapping[str, Any]) -> dict[str, Any]:
    """The purpose that the form describes. What the form does not ask for stays as in `base`. Raises: Refused."""
    problems: list[tuple[str | None, str]] = []
    body = dict(base) | {
        "titles": {name[6:]: value for name, value in form if name.startswith("title-") and value},
        "channels": form.all("channels"), "grounds": _grounds(form, problems), "flags": form.all("flags"),
        "scope": form.get("scope") or "brand", "confirmed_in": _confirmed(form, problems),
        "on_notice_outdated": form.get("on_notice_outdated"),
        "data_categories": _each_line(form, "data_categories"), "recipients": _each_line(form, "recipients"),
    }  # fmt: skip
    for name in ("valid_for", "retention"):
        body[name] = words.period_of(form.get(name)) or None
    body["dpv"] = form.get("dpv") or None
    if not body["titles"]:
        first = next((name for name, _ in form if name.startswith("title-")), None)
        problems.append((first, "Enter the name of the purpose in at least one language"))
    if not body["channels"]:
        problems.append(("channels", "Choose at least one channel"))
    if problems:
        raise Refused(*problems)
    return body


def errors_of(refusal: PurposeMalformed) -> list[dict[str, Any]]:
    """The rule that is broken, at its field."""
    text = refusal.detail or refusal.title
    field = next((name for words, name in _FIELD_OF if words in text), None)
    return [{"field": field, "text": text[:1].upper() + text[1:]}]


def facts(one: PurposeVersion) -> list[dict[str, str]]:
    """What a version says, in words."""
    told = [
        ("Key", one.key), ("Version", str(one.version)),
        *((f"Name ({code})", title) for code, title in sorted(one.titles.items())),
        ("Channels", ", ".join(sorted(one.channels))),
        ("A choice counts", "for one brand" if one.scope == "brand" else "for all brands"),
        ("Special", ", ".join(FLAGS[flag][0] for flag in sorted(one.flags))),
        ("Double opt-in", "; ".join(f"{ch}: {', '.join(sorted(at))}" for ch, at in sorted(one.confirmed_in.items()))),
        ("Consent lasts", words.period(one.valid_for or "") or "without end"),
        ("After a newer text", "older consent no longer counts" if one.on_notice_outdated == "deny"
         else "older consent still counts"),
        ("Data", ", ".join(one.data_categories)), ("Recipients", ", ".join(one.recipients)),
        ("Kept for", words.period(one.retention or "")), ("In W3C DPV", one.dpv or ""),
    ]  # fmt: skip
    return [{"label": label, "value": value} for label, value in told if value]


def effects(found: Effects) -> list[tuple[str, str]]:
    """What ends with a purpose, in words."""
    people = "fewer than 20" if found.people is None else f"{found.people:,}"
    return [
        ("People who said yes, and whose yes is valid now", people),
        ("Carried out without a yes in", ", ".join(found.by_silence)),
        ("Collection points that ask for it; they leave it out", ", ".join(found.points)),
        ("Notices that name it; publish one without it", ", ".join(found.notices)),
    ]


def grounds(one: PurposeVersion) -> list[dict[str, Any]]:
    """By which right in which place."""
    return [
        {"place": "elsewhere" if place == ANYWHERE else place, "basis": _BASES[ground.basis],
         "silence": _REGIMES[ground.regime], "override": ground.gpc_override}
        for place, ground in sorted(one.grounds.items(), key=lambda pair: (pair[0] == ANYWHERE, pair[0]))
    ]  # fmt: skip


def bases(one: PurposeVersion) -> str:
    """The bases of a purpose in a line."""
    return ", ".join(dict.fromkeys(_BASES[ground.basis] for _, ground in sorted(one.grounds.items())))


def _grounds(form: Form, problems: list[tuple[str | None, str]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for number in range(MOST_ROWS):
        place = form.get(f"place-{number}").upper()
        if not place:
            continue
        basis, regime = form.get(f"basis-{number}"), form.get(f"regime-{number}")
        if not _PLACE.fullmatch(place) or place in found:
            problems.append((f"place-{number}", "Enter each place once: a code such as DE or US-CA, or * for the rest"))
        if basis not in set(LegalBasis):
            problems.append((f"basis-{number}", "Choose the legal basis"))
        if regime not in set(Regime):
            problems.append((f"regime-{number}", "Choose what silence means"))
        override = "yes" if form.get(f"override-{number}") == "yes" else "no"
        found[place] = {"basis": basis, "regime": regime, "gpc_override": override}
    if not found:
        problems.append(("place-0", "Name the legal basis for at least one place; * stands for elsewhere"))
    return found


def _confirmed(form: Form, problems: list[tuple[str | None, str]]) -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {}
    for line in _each_line(form, "confirmed_in"):
        channel, _, places = line.partition(":")
        at = [place.upper() for place in re.split(r"[\s,]+", places) if place]
        if not at or not all(_PLACE.fullmatch(place) for place in at):
            problems.append(("confirmed_in", "Enter a channel and its places on each line, such as email: DE AT"))
            break
        found[channel.strip()] = at
    return found


def _each_line(form: Form, name: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in form.get(name).splitlines() if line.strip()))
