"""`privacyops pii`: identifiers in texts and in columns. Needs neither a database nor the service."""

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from privacyops.cli.ending import refused

if TYPE_CHECKING:
    from privacyops.adapters.pii.detector import PipelineDetector
    from privacyops.domain.classification.scoring import ColumnType
    from privacyops.domain.detection.span import Span
    from privacyops.ports.pii import Text

app = typer.Typer()
MODEL_MISSING: Final = 3
_TEXTS: Final = 100
_URL: Final = "PRIVACYOPS_PII_INPUT_URL"
_REQUIRED: Final = {"names": "PERSON", "addresses": "LOCATION"}

Input = Annotated[str, typer.Option("--input", help="JSON lines of {id, text, lang?}; - for standard input.")]
Output = Annotated[str, typer.Option("--output", help="Where one line for each text goes; - for standard output.")]


@app.callback()
def _group() -> None:
    """Identifiers in texts and in columns: suggestions with a reason each. Nothing is stored or sent anywhere."""


@app.command("text")
def text(
    source: Input,
    target: Output = "-",
    profile: Annotated[
        Literal["search", "redact", "structured", "plain"],
        typer.Option(help="search people, redact (misses fewer), structured (single cell values), plain Presidio."),
    ] = "search",
    exact: Annotated[
        bool,
        typer.Option(
            "--exact/--fast", help="Names as Presidio finds them, or faster with other names in 0.3% of texts."
        ),
    ] = True,
    entities: Annotated[str, typer.Option(help="Only these types, with commas between.")] = "",
    threshold: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="From which score on; for every type.")
    ] = None,
    require: Annotated[str, typer.Option(help="names,addresses: end with 3 where no model finds them.")] = "",
) -> None:
    """Find identifiers in texts. Exit status 2: a line cannot be used, told by its number; 3: a model is missing."""
    wanted = _list(require)
    if unknown := [word for word in wanted if word not in _REQUIRED]:
        raise refused(f"--require {unknown[0]}: known are {', '.join(_REQUIRED)}")
    detector = _detector(exact=exact, entities=tuple(_list(entities)), threshold=threshold)
    for note in detector.degraded:
        typer.echo(f"privacyops: {note}", err=True)
    language = _default_language()
    for word in wanted:
        if not detector.has_model(_REQUIRED[word], language):
            raise refused(f"{word} in {language}: no model is installed", MODEL_MISSING)
    from privacyops.domain.detection.span import Profile

    with ExitStack() as files:
        lines = _opened(files, source, "r")
        out = _opened(files, target, "w")
        ids: list[Any] = []
        for found in detector.detect(_texts(lines, language, ids), Profile(profile)):
            one = {"id": ids.pop(0), "spans": [_span(span) for span in found.spans]}
            out.write(json.dumps(one if not found.unsearched else {**one, "unsearched": list(found.unsearched)}) + "\n")
        out.flush()


@app.command("columns")
def columns(
    source: Annotated[str, typer.Option("--input", help="A folder of CSV and JSON lines, or an SQLAlchemy URL.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
    sample: Annotated[
        int, typer.Option(min=1, max=3_000, help="How many distinct values of a column to look at.")
    ] = 300,
    maps: Annotated[
        Literal["auto", "none"], typer.Option("--map", help="Use the map of a known shop platform.")
    ] = "auto",
) -> None:
    """Say what each column holds, and why. Exit status 2: the input cannot be read."""
    rows = []
    with _Containing() as containing:
        for table, name, told, texts in _columns_of(source, sample, uses_maps=maps == "auto"):
            contains = containing.types(texts) if told.category == "FREE_TEXT" else ()
            rows.append(_column(table, name, told, contains))
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    width = max((len(f"{row['table']}.{row['column']}") for row in rows), default=0)
    for row in rows:
        mark = "  ?" if row.get("review") else ""
        name, holds = f"{row['table']}.{row['column']}", row["type"] or ",".join(row.get("contains", ())) or "-"
        typer.echo(f"{name:<{width}}  {holds:<18} {row['score']:<6} {row['why']}{mark}")


class _Containing:
    """Which types stand in columns of free text. Models are loaded when there is such a column."""

    def __init__(self) -> None:
        self._detector: PipelineDetector | None = None

    def __enter__(self) -> "_Containing":
        return self

    def __exit__(self, *_: object) -> None:
        self._detector = None

    def types(self, texts: Iterable[str]) -> tuple[str, ...]:
        """The types, of at most a hundred texts."""
        from privacyops.domain.detection.span import Profile
        from privacyops.ports.pii import Text

        if self._detector is None:
            self._detector = _detector(exact=False, entities=(), threshold=None)
        some = [Text(one, _default_language()) for one in list(texts)[:_TEXTS]]
        return tuple(
            sorted({span.type for found in self._detector.detect(some, Profile.SEARCH) for span in found.spans})
        )


def _detector(*, exact: bool, entities: tuple[str, ...], threshold: float | None) -> "PipelineDetector":
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core a process; read when numpy is loaded
    from privacyops.adapters.pii.detector import Options, PipelineDetector
    from privacyops.adapters.pii.sources import EntityUnknown

    regions = tuple(dict.fromkeys((*_regions(), *Options().regions)))
    try:
        return PipelineDetector(Options(regions, entities, threshold=threshold, is_exact=exact, cache=_cache()))
    except EntityUnknown as wrong:
        raise refused(f"--entities: nothing looks for {wrong}") from None


def _settings() -> Any:
    """The settings where there are any; a wrong one is the service's matter, not this command's."""
    from pydantic import ValidationError

    from privacyops.settings import Settings

    try:
        return Settings()
    except ValidationError:
        return None


def _default_language() -> str:
    settings = _settings()
    return settings.controller.languages[0] if settings and settings.controller.languages else "en"


def _regions() -> tuple[str, ...]:
    settings = _settings()
    told = (settings.controller.phone_region or settings.controller.country) if settings else None
    return (told,) if told else ()


def _cache() -> Path | None:
    """A folder of the service's own, where there is one: nothing is made for a command that needs no service."""
    settings = _settings()
    return settings.data / "detection" if settings and settings.data.is_dir() else None


def _texts(lines: Iterable[str], language: str, ids: list[Any]) -> "Iterator[Text]":
    """The texts; each id is left in `ids` until its answer is written."""
    from privacyops.ports.pii import Text

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            content, spoken = record["text"], record.get("lang") or language
            key = record["id"]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise refused(f"line {number}: not an object with id and text") from None
        if not isinstance(content, str) or not isinstance(spoken, str) or not isinstance(key, str | int):
            raise refused(f"line {number}: id, text and lang are text")
        ids.append(key)
        yield Text(content, spoken)


def _span(span: "Span") -> dict[str, Any]:
    return {
        "start": span.start, "end": span.end, "type": span.type, "score": round(span.score, 6),
        "recognizer": span.recognizer, "why": span.why,
    }  # fmt: skip


def _opened(files: ExitStack, name: str, mode: Literal["r", "w"]) -> IO[str]:
    if name == "-":
        stream = sys.stdin if mode == "r" else sys.stdout
        stream.reconfigure(encoding="utf-8", errors="strict")  # type: ignore[union-attr]  # a text stream of the process
        return stream
    try:
        return files.enter_context(Path(name).open(mode, encoding="utf-8", newline="\n"))
    except OSError as wrong:
        raise refused(f"{name}: {wrong.strerror}") from None


def _columns_of(
    source: str, sample: int, *, uses_maps: bool
) -> "Iterator[tuple[str, str, ColumnType, tuple[str, ...]]]":
    if "://" in source:
        return _of_store(source, sample, uses_maps=uses_maps)
    return _of_folder(Path(source), sample, uses_maps=uses_maps)


def _of_folder(
    folder: Path, sample: int, *, uses_maps: bool
) -> "Iterator[tuple[str, str, ColumnType, tuple[str, ...]]]":
    from privacyops.adapters.pii.detector import Options
    from privacyops.domain.classification.scoring import classify
    from privacyops.domain.datamap.platform_columns import told_columns, with_map

    if not folder.is_dir():
        raise refused(f"{folder}: not a folder")
    regions = tuple(dict.fromkeys((*_regions(), *Options().regions)))
    paths = sorted((*folder.glob("*.csv"), *folder.glob("*.jsonl")))
    mapped = told_columns([path.stem for path in paths]) if uses_maps else {}
    for path in paths:
        try:
            seen = _values_of_csv(path, sample) if path.suffix == ".csv" else _values_of_lines(path, sample)
        except (OSError, UnicodeDecodeError, csv.Error, ValueError) as wrong:
            raise refused(f"{path.name}: {type(wrong).__name__}: cannot be read as UTF-8 {path.suffix[1:]}") from None
        for name, values in seen.items():
            told = with_map(classify(path.stem, name, list(values), regions), mapped.get((path.stem, name)))
            yield path.stem, name, told, tuple(values)


def _values_of_csv(path: Path, sample: int) -> dict[str, dict[str, None]]:
    """The first distinct values of each column."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        seen: list[tuple[str, dict[str, None]]] = [(name, {}) for name in next(reader, [])]
        for row in reader:
            for (_, values), value in zip(seen, row, strict=False):
                if len(values) < sample and value.strip():
                    values.setdefault(value)
            if all(len(values) >= sample for _, values in seen):
                break
    return dict(seen)


def _values_of_lines(path: Path, sample: int) -> dict[str, dict[str, None]]:
    seen: dict[str, dict[str, None]] = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            for name, value in (json.loads(line) if line.strip() else {}).items():
                values = seen.setdefault(str(name), {})
                if value is not None and len(values) < sample:
                    values.setdefault(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return seen


def _of_store(url: str, sample: int, *, uses_maps: bool) -> "Iterator[tuple[str, str, ColumnType, tuple[str, ...]]]":
    from privacyops.adapters.connector_host import FIRST_PARTY, Connectors
    from privacyops.adapters.pii.detector import Options
    from privacyops.ports.connector_host import StoreConfig, StoreProblem
    from privacyops.services.columns import classify_columns

    os.environ[_URL] = url  # a connector takes secrets as references only
    host = Connectors([StoreConfig("input", "sql", {"url": f"env:{_URL}"})], FIRST_PARTY)
    regions = tuple(dict.fromkeys((*_regions(), *Options().regions)))
    try:
        for one in classify_columns(host, "input", regions, sample, uses_maps=uses_maps):
            yield one.table, one.column, one.found, one.texts
    except StoreProblem as problem:
        raise refused(str(problem.detail)) from None
    finally:
        host.close()


def _column(table: str, name: str, told: "ColumnType", contains: tuple[str, ...]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "table": table, "column": name, "type": told.type, "score": told.score, "why": told.why,
        "alternatives": [{"type": one.type, "score": one.score} for one in told.alternatives],
    }  # fmt: skip
    if told.review:
        row["review"] = True
    if told.category:
        row["category"] = told.category
    if contains:
        row["contains"] = list(contains)
    return row


def _list(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]
