"""How a page writes dates, counts, due dates and untrusted text. Pure: the words depend on the scene only."""

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from gettext import NullTranslations
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from privacyops.kernel.clock import Instant, require_utc
from privacyops.ports.pages import Scene

CUT_AT: Final = 10_000
"""Characters of one untrusted value that a page shows (SECURITY: hostile content)."""
_KEPT: Final = "\n\t"
_HIDDEN_CATEGORIES: Final = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
_SOON_DAYS: Final = 3
_NEAR_DAYS: Final = 10


def _local(at: Instant | date, scene: Scene) -> date:
    if isinstance(at, datetime):
        return require_utc(at).astimezone(ZoneInfo(scene.zone)).date()
    return at


def _babel(scene: Scene) -> str:
    """Babel's name of the locale. Plain English means the day before the month, as in the rest of Europe."""
    return {"en": "en_GB"}.get(scene.locale, scene.locale.replace("-", "_"))


def day(at: Instant | date, scene: Scene) -> str:
    """`Wed 16 Dec 2026`: with the weekday, since deadlines roll over weekends."""
    local = _local(at, scene)
    if scene.locale.startswith("en"):
        return format_date(local, "EEE d MMM y", locale=_babel(scene))
    return format_date(local, "EEE d. MMM y" if scene.locale.startswith("de") else "full", locale=_babel(scene))


def day_short(at: Instant | date, scene: Scene) -> str:
    """`16 Dec`, with the year where it is not the present one."""
    local = _local(at, scene)
    pattern = "d. MMM" if scene.locale.startswith("de") else "d MMM"
    if local.year != _local(scene.now, scene).year:
        pattern += " y"
    return format_date(local, pattern, locale=_babel(scene))


def moment(at: Instant, scene: Scene) -> str:
    """`09:14` for today, else `20 Nov 16:02`, in the scene's zone."""
    local = require_utc(at).astimezone(ZoneInfo(scene.zone))
    clock = format_time(local, "HH:mm", locale=_babel(scene))
    return clock if local.date() == _local(scene.now, scene) else f"{day_short(at, scene)} {clock}"


def moment_long(at: Instant, scene: Scene) -> str:
    """`Fri 20 Nov 2026 16:02 CET`: nothing left to guess; for titles and print."""
    local = require_utc(at).astimezone(ZoneInfo(scene.zone))
    return f"{day(at, scene)} {format_time(local, 'HH:mm', locale=_babel(scene))} {local.tzname()}"


def iso(at: Instant) -> str:
    """For `<time datetime>`."""
    return require_utc(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: float, scene: Scene) -> str:
    return format_decimal(value, locale=_babel(scene))


def size(value: int, scene: Scene) -> str:
    """Bytes in the decimal unit that leaves one to three digits before the point."""
    shown, unit = float(value), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if shown < 1000:
            break
        shown, unit = shown / 1000, larger
    digits = "#,##0" if unit == "bytes" or shown >= 100 else "#,##0.#"
    return f"{format_decimal(shown, digits, locale=_babel(scene))} {unit}"


def visible(value: object) -> Markup:
    """Untrusted text, escaped, with every character that hides or reorders others shown by its code point.

    Cut at `CUT_AT` characters, with the number left out, so that one cell cannot flood a page.
    """
    text = str(value).replace("\r\n", "\n")
    shown = "".join(str(_shown(character)) for character in text[:CUT_AT])
    left_out = len(text) - CUT_AT
    if left_out > 0:
        shown += f'<span class="ctl">… {left_out} more characters</span>'
    return Markup(shown)  # noqa: S704 - every character of the value has passed through escape()


def _shown(character: str) -> Markup | str:
    if character in _KEPT or unicodedata.category(character) not in _HIDDEN_CATEGORIES:
        return escape(character)
    return f'<span class="ctl">U+{ord(character):04X}</span>'


def due_tag(clock: Mapping[str, Any], scene: Scene, words: NullTranslations) -> dict[str, str]:
    """What the due tag says: `tone`, `icon`, `text` (`long` where no date stands beside it), the `line` below it, and
    the `title` with both dates.

    `clock`: `state` (running, paused, done, none), `due`, `safe_due` (instants or None), `paused_since`,
    `kept_days`, `rule`. Days are counted to the safe date in the scene's zone. Overdue means past `due`:
    between the safe date and the limit the tag counts to the limit and says so.
    """
    _ = words.gettext
    state = clock["state"]
    if state == "none" or (state != "paused" and clock["due"] is None):
        return _tag("neutral", "clock", _("no due date"), "", _("No due date has been set"))
    if state == "paused":
        kept = clock["kept_days"]
        text = words.ngettext("Paused · %(num)s day kept", "Paused · %(num)s days kept", kept) % {"num": kept}
        since = _("paused since %(day)s") % {"day": day_short(clock["paused_since"], scene)}
        return _tag("inf", "hourglass", text, since, f"{text}, {since}. {clock['rule']}")
    title = _title(clock, scene, words)
    line = day_short(clock["due"], scene)
    if state == "done":
        return _tag("ok", "check", _("done"), line, title)
    today = _local(scene.now, scene)
    to_due = (_local(clock["due"], scene) - today).days
    left = (_local(clock["safe_due"], scene) - today).days
    if scene.now > clock["due"]:
        late = words.ngettext("%(num)s day late", "%(num)s days late", -to_due) % {"num": -to_due}
        late = late if to_due < 0 else _("late since today")
        return _tag("bad", "alert-triangle", late, line, title)
    if left < 0:
        text = words.ngettext("limit in %(num)s day", "limit in %(num)s days", to_due) % {"num": to_due}
        text = text if to_due else _("limit today")
        return _tag("bad", "clock", text, line, title)
    text = words.ngettext("in %(num)s day", "in %(num)s days", left) % {"num": left} if left else _("due today")
    spelled = words.ngettext("%(num)s day left", "%(num)s days left", left) % {"num": left} if left else text
    tone = "bad" if left <= _SOON_DAYS else "warn" if left <= _NEAR_DAYS else "ok"
    return _tag(tone, "clock", text, line, title) | {"long": spelled}


def distance(at: Instant | date, scene: Scene, words: NullTranslations) -> str:
    """How far off a day is: `in 3 days`, `today`, `2 days late`."""
    days = (_local(at, scene) - _local(scene.now, scene)).days
    if days < 0:
        return words.ngettext("%(num)s day late", "%(num)s days late", -days) % {"num": -days}
    return words.ngettext("in %(num)s day", "in %(num)s days", days) % {"num": days} if days else words.gettext("today")


def _title(clock: Mapping[str, Any], scene: Scene, words: NullTranslations) -> str:
    known = {"safe": day(clock["safe_due"], scene), "due": day(clock["due"], scene), "rule": clock["rule"]}
    if known["safe"] == known["due"]:
        return words.gettext("Due %(due)s (%(rule)s)") % known
    return words.gettext("Answer by %(safe)s; legal limit %(due)s (%(rule)s)") % known


def _tag(tone: str, icon: str, text: str, line: str, title: str) -> dict[str, str]:
    return {"tone": tone, "icon": icon, "text": text, "long": text, "line": line, "title": title}
