"""The package's pages: they open without a connection, without script, in every browser, and on paper.

The style stands in the page under a policy that names its hash and allows nothing else. Whoever shows a page of a
package over HTTP has to send `POLICY` as its header.
"""

import base64
import hashlib
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from types import SimpleNamespace
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from privacyops.adapters.package.values import plain
from privacyops.domain.package.contents import Cell, Collection, Column, Element, PackageContents, ShownRecord, Store
from privacyops.domain.package.hostile_text import MAX_SHOWN, visible
from privacyops.kernel.clock import Instant

MOST_ROWS: Final = 500
_MOST_TABLE_COLUMNS: Final = 6  # more do not fit on a page or a sheet; then each record is a list of its own
_LOCALES: Final = {"en": "en_GB", "de": "de_DE"}
_HOME: Final = files("privacyops.adapters.package")


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One link of the index: where it leads and what stands on it."""

    path: str
    label: str


@dataclass(frozen=True, slots=True)
class ListedCollection:
    """One row of the index."""

    label: str
    about: str
    records: int
    files: tuple[ListedFile, ...]
    held: frozenset[Element] = frozenset()


@dataclass(frozen=True, slots=True)
class ListedStore:
    """One card of the index."""

    label: str
    about: str
    collections: tuple[ListedCollection, ...]

    @property
    def records(self) -> int:
        """Records of all collections."""
        return sum(one.records for one in self.collections)


@dataclass(frozen=True, slots=True)
class ListedAttachment:
    """One file of `files/` with its former name, which is shown and never used."""

    path: str
    name: str
    about: str
    store: str
    size: int


class PackagePages:
    """Draws the pages of one package, in pieces, so that no page is ever whole in memory."""

    def __init__(self, contents: PackageContents) -> None:
        self.language = contents.language.partition("-")[0].lower()
        if self.language not in _LOCALES:
            self.language = "en"  # pages are not legal text: an unknown language reads English, marked as such
        self.words = words(self.language)
        self._contents = contents
        self._zone = ZoneInfo(contents.zone)
        self._env = _environment()
        self._env = self._env.overlay()
        self._env.filters = {**self._env.filters, **self._filters()}

    def start(
        self, stores: Sequence[ListedStore], attachments: Sequence[ListedAttachment], letter_file: str
    ) -> Iterable[str]:
        """START-HERE.html."""
        contents = self._contents
        elements = sorted({element for store in stores for one in store.collections for element in one.held})
        return self._draw(
            "start.html",
            kind=contents.kind.value,
            subject=contents.subject,
            received_on=contents.received_on,
            part=contents.part,
            records=sum(one.records for one in stores),
            stores=stores,
            attachments=attachments,
            consents=contents.consents,
            exclusions=contents.exclusions,
            unreached=contents.unreached,
            searched=contents.searched,
            held=[self.words["elements"][one] for one in elements],
            authority=contents.authority,
            letter_file=letter_file,
        )

    def collection(
        self,
        store: Store,
        collection: Collection,
        columns: Sequence[Column],
        records: Iterable[ShownRecord],
        total: int,
        paths: Mapping[str, str],
    ) -> Iterable[str]:
        """The page of one collection; `records` are the first `MOST_ROWS` of `total`."""
        return self._draw(
            "collection.html",
            store=store,
            collection=collection,
            columns=columns,
            explained=[column for column in columns if column.meaning or column.codes],
            records=records,
            total=total,
            most=MOST_ROWS,
            as_table=len(columns) <= _MOST_TABLE_COLUMNS,
            csv_file=paths["csv"],
            json_file=paths["json"],
        )

    def receipt(self) -> Iterable[str]:
        """consent/receipt.html."""
        return self._draw("receipt.html", consents=self._contents.consents)

    def _draw(self, template: str, **values: object) -> Iterable[str]:
        contents = self._contents
        return self._env.get_template(template).generate(
            language=self.language,
            w=self._phrases(),
            style=_style(),
            style_hash=style_hash(),
            controller=contents.controller,
            reference=contents.reference,
            created_at=contents.created_at,
            **values,
        )

    def _phrases(self) -> SimpleNamespace:
        given = self.words

        def records_count(count: int) -> str:
            many = str(given["many_records"])
            return str(given["one_record"]) if count == 1 else many.format(count=self._number(count))

        def first_rows(most: int, total: int) -> str:
            return str(given["first_rows"]).format(most=self._number(most), total=self._number(total))

        simple = {name: word for name, word in given.items() if isinstance(word, str)}
        return SimpleNamespace(**{**simple, "records_count": records_count, "first_rows": first_rows})

    def _filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "day": self._day,
            "moment": self._moment,
            "number": self._number,
            "size": self._size,
            "words": self._shown,
        }

    def _number(self, value: int) -> str:
        return format_decimal(value, locale=_LOCALES[self.language])

    def _day(self, value: date) -> str:
        return format_date(value, "long", locale=_LOCALES[self.language])

    def _moment(self, value: Instant) -> str:
        local = value.astimezone(self._zone)
        return f"{format_datetime(local, 'd MMMM y, HH:mm', locale=_LOCALES[self.language])} {local.tzname()}"

    def _size(self, value: int) -> str:
        shown, unit = float(value), "B"
        for larger in ("kB", "MB", "GB"):
            if shown < 1000:
                break
            shown, unit = shown / 1000, larger
        digits = format_decimal(shown, "#,##0.#" if unit != "B" else "0", locale=_LOCALES[self.language])
        return f"{digits} {unit}"

    def _shown(self, cell: Cell, column: Column) -> SimpleNamespace:
        """A value for people: dates in words, codes explained, hostile signs visible, cut at 10,000 characters."""
        value, meaning = cell.value, ""
        if isinstance(value, bool):
            text = str(self.words["yes" if value else "no"])
        elif isinstance(value, datetime):
            text = self._moment(value) if value.tzinfo else _naive(value, self.language)
        elif isinstance(value, date):
            text = self._day(value)
        elif isinstance(value, bytes):
            text = str(self.words["binary"]).format(size=self._size(len(value)))
        else:
            text = plain(value)[0]
        if meaning_of := column.codes.get(plain(value)[0]):
            text, meaning = meaning_of, text
        return SimpleNamespace(shown=visible(text[:MAX_SHOWN]), meaning=meaning, cut=len(text) > MAX_SHOWN)


def _naive(value: datetime, language: str) -> str:
    # Without a zone nothing may be converted: it is shown as the store wrote it.
    return format_datetime(value, "d MMMM y, HH:mm:ss", locale=_LOCALES[language])


@cache
def words(language: str) -> dict[str, Any]:
    """The words of the pages and of the text file in one language."""
    return tomllib.loads((_HOME / "words" / f"{language}.toml").read_text("utf-8"))


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(lambda name: (_HOME / "templates" / name).read_text("utf-8")),
    )
    # Every printed text is hostile until shown otherwise; Markup (our own style) is not a plain str and passes.
    environment.finalize = lambda value: visible(value) if type(value) is str else value
    return environment


@cache
def _style() -> Markup:
    # Trusted: our own sheet. Autoescape would break its quotes and child selectors.
    return Markup((_HOME / "templates" / "style.css").read_text("utf-8"))  # noqa: S704 - reason above


@cache
def style_hash() -> str:
    """The CSP source expression of the pages' one style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()


def policy() -> str:
    """The Content-Security-Policy header for showing a page of a package over HTTP."""
    return (
        f"default-src 'none'; style-src '{style_hash()}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'; sandbox"
    )
