"""SQLite's catalogue: table-valued pragmas, and the CREATE statements for what pragmas do not tell."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from connectors.sql.schema import ALL_WRITES, Paging, Run, Table, count_uncounted, with_counts
from connectors.sql.session import Record
from privacyops.connector_sdk import (
    Collection,
    CollectionKind,
    DeclaredLink,
    Field,
    FieldType,
    Index,
    LinkAction,
    Refresh,
    Trigger,
)

OBJECTS: Final = """
SELECT m.name, m.type, coalesce(m.sql, ''), l.wr, l.type FROM sqlite_master m
JOIN pragma_table_list l ON l.name = m.name AND l.schema = 'main'
WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
"""
COLUMNS: Final = """
SELECT m.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden FROM sqlite_master m
JOIN pragma_table_xinfo(m.name) x WHERE m.type IN ('table', 'view') ORDER BY m.name, x.cid
"""
INDEXES: Final = """
SELECT m.name, i.name, i."unique", i.origin, i.partial, x.name FROM sqlite_master m
JOIN pragma_index_list(m.name) i JOIN pragma_index_xinfo(i.name) x
WHERE m.type = 'table' AND x.key = 1 ORDER BY m.name, i.name, x.seqno
"""
LINKS: Final = """
SELECT m.name, f.id, f."from", f."table", f."to", f.on_delete, f.on_update FROM sqlite_master m
JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq
"""
TRIGGERS: Final = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY tbl_name, name"

HIDDEN: Final = 1
"""Columns that a virtual table has for its own language, such as the rank of a match; generated ones are 2 and 3."""
ACTIONS: Final = {
    "NO ACTION": LinkAction.NO_ACTION,
    "RESTRICT": LinkAction.RESTRICT,
    "CASCADE": LinkAction.CASCADE,
    "SET NULL": LinkAction.SET_NULL,
    "SET DEFAULT": LinkAction.SET_DEFAULT,
}


def load_sqlite(run: Run) -> dict[str, Table]:
    """Every table and view of the main database. Shadow tables of extensions are left out."""
    objects = run(OBJECTS, {})
    columns, indexes = _by_table(run(COLUMNS, {})), _by_table(run(INDEXES, {}))
    links, triggers = _by_table(run(LINKS, {})), _by_table(run(TRIGGERS, {}))
    keys = {name: _primary(columns[name]) for name, *_ in objects}
    known = {str(name).lower(): str(name) for name, *_ in objects}
    tables = []
    for name, kind, text, without_rowid, flavour in objects:
        if flavour == "shadow":
            continue
        repeats = _indexed_texts(text, known) if flavour == "virtual" else None
        is_view = kind == "view"
        definitions = _definitions(text) if not is_view else {}
        declared = _indexes(indexes[name])
        seen = [each for each in columns[name] if each[6] != HIDDEN]
        fields = tuple(_field(each, definitions, declared, keys[name]) for each in seen)
        key = keys[name] or _unique_key(declared, fields)
        collection = Collection(
            name=name,
            kind=_kind(is_view, repeats),
            fields=fields,
            key=key,
            no_key=not key,
            links=_links(links[name], keys, known, deferrable=bool(re.search(r"\bDEFERRABLE\s+INITIALLY", text, re.I))),
            indexes=tuple(declared),
            derived_from=_sources(text, known) if is_view else repeats or (),
            refresh=_refresh(name, repeats, triggers),
            triggers=tuple(_trigger(each) for each in triggers[name]),
            refuses=ALL_WRITES if is_view or repeats is not None else frozenset(),
        )
        paging = Paging.DIGEST if is_view else Paging.KEY if without_rowid else Paging.ROWID
        tables.append(Table(collection, "main", paging, key if paging is Paging.KEY else ()))
    return with_counts(tables, count_uncounted(tables, run, _quoted))


def _kind(is_view: bool, repeats: tuple[str, ...] | None) -> CollectionKind:
    if is_view:
        return CollectionKind.VIEW
    return CollectionKind.TABLE if repeats is None else CollectionKind.MATERIALIZED_VIEW


def _indexed_texts(text: str, known: dict[str, str]) -> tuple[str, ...] | None:
    """The table whose texts a search table (FTS4, FTS5) holds the words of; empty: of no table that is here. None: a
    virtual table with rows of its own.
    """
    told = re.search(r"""\bcontent\s*=\s*(?:'([^']*)'|"([^"]*)"|\[([^\]]*)\]|(\w+))""", text, re.IGNORECASE)
    if told is None:
        return None
    source = next((part for part in told.groups() if part is not None), "").lower()
    return (known[source],) if source in known else ()


def _refresh(name: str, repeats: tuple[str, ...] | None, triggers: dict[str, list[Record]]) -> Refresh:
    """A search table follows its source where triggers of that table tell it what was deleted and what was changed."""
    if repeats is None:
        return Refresh.NONE
    named = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    bodies = [
        (each, re.split(r"\bbegin\b", str(each[2]), maxsplit=1, flags=re.IGNORECASE)[-1])
        for source in repeats
        for each in triggers[source]
    ]
    told = {_trigger(each).event.rpartition(" ")[2] for each, body in bodies if named.search(body)}
    return Refresh.AUTOMATIC if told >= {"delete", "update"} else Refresh.MANUAL


def _by_table(records: Iterable[Record]) -> dict[str, list[Record]]:
    grouped: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        grouped[record[0]].append(record)
    return grouped


def _quoted(table: Table) -> str:
    return '"' + table.name.replace('"', '""') + '"'


def _primary(columns: list[Record]) -> tuple[str, ...]:
    return tuple(str(each[1]) for each in sorted(columns, key=lambda each: int(each[5])) if each[5])


def _unique_key(indexes: list[Index], fields: tuple[Field, ...]) -> tuple[str, ...]:
    required = {field.path for field in fields if not field.nullable}
    for index in sorted(indexes, key=lambda each: (len(each.fields), each.name)):
        if index.unique and not index.partial and not index.expression and required.issuperset(index.fields):
            return index.fields
    return ()


def field_type(declared: str) -> FieldType:  # noqa: PLR0911 - one line a family
    """The family a declared type names; SQLite itself enforces none of them."""
    word = declared.lower()
    if "json" in word:
        return FieldType.JSON
    if "bool" in word:
        return FieldType.BOOLEAN
    if "int" in word:
        return FieldType.INTEGER
    if any(part in word for part in ("char", "text", "clob", "string")):
        return FieldType.TEXT
    if any(part in word for part in ("datetime", "timestamp")):
        return FieldType.INSTANT
    if "date" in word:
        return FieldType.DATE
    if "blob" in word:
        return FieldType.BINARY
    if any(part in word for part in ("real", "floa", "doub", "numeric", "decimal", "money")):
        return FieldType.NUMBER
    if "uuid" in word or "guid" in word:
        return FieldType.UUID
    return FieldType.TIME if word.startswith("time") else FieldType.OTHER


def _field(record: Record, definitions: dict[str, str], indexes: list[Index], key: tuple[str, ...]) -> Field:
    _, path, declared, required, default, _, hidden = record
    definition = definitions.get(path.lower(), "")
    length = re.search(r"char[^(]*\(\s*(\d+)", declared, re.IGNORECASE)
    checks = [text for text in _checks(definitions) if re.search(rf"(?i)(?<!\w){re.escape(path)}(?!\w)", text)]
    return Field(
        path=path,
        type=field_type(declared),
        native=declared,
        nullable=not required and key != (path,),
        max_length=int(length[1]) if length and "length(" in " ".join(checks).lower() else None,
        unique=key == (path,)
        or any(index.unique and not index.partial and index.fields == (path,) for index in indexes),
        generated=hidden in {2, 3},
        default=default,
        check=" AND ".join(checks) or None,
        indexed=key[:1] == (path,) or any(index.fields[:1] == (path,) for index in indexes),
        case_insensitive=bool(re.search(r"\bcollate\s+[\"'`\[]?nocase", definition, re.IGNORECASE)),
    )


def _indexes(records: list[Record]) -> list[Index]:
    grouped: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        grouped[record[1]].append(record)
    return [
        Index(
            name,
            tuple(str(each[5]) for each in parts if each[5] is not None),
            bool(parts[0][2]),
            "btree",
            None if all(each[5] is not None for each in parts) else "expression",
            bool(parts[0][4]),
        )
        for name, parts in grouped.items()
    ]


def _links(
    records: list[Record], keys: dict[str, tuple[str, ...]], known: dict[str, str], *, deferrable: bool
) -> tuple[DeclaredLink, ...]:
    grouped: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        grouped[record[1]].append(record)
    found = []
    for parts in grouped.values():
        to = known.get(str(parts[0][3]).lower(), str(parts[0][3]))
        fields = tuple(str(each[2]) for each in parts)
        named = tuple(str(each[4]) for each in parts if each[4] is not None)
        found.append(
            DeclaredLink(
                f"{parts[0][0]}.{'+'.join(fields)}",
                fields,
                to,
                named or keys.get(to, ()),
                ACTIONS[parts[0][5].upper()],
                ACTIONS[parts[0][6].upper()],
                deferrable,
            )
        )
    return tuple(sorted(found, key=lambda link: link.name))


def _sources(text: str, known: dict[str, str]) -> tuple[str, ...]:
    body = text.lower().partition(" as ")[2]
    words = set(re.findall(r"\w+", re.sub(r"\bas\s+\w+", "", body)))
    return tuple(sorted(name for lowered, name in known.items() if lowered in words or f'"{lowered}"' in body))


def _trigger(record: Record) -> Trigger:
    _, name, text = record
    event = re.search(r"\b(?:(before|after|instead\s+of)\s+)?(delete|insert|update)\b", text, re.IGNORECASE)
    moment = " ".join((event[1] or "before").lower().split()) if event else "before"
    body = text.lower().partition("begin")[2]
    writes = bool(re.search(r"\b(insert|update|delete|replace)\b", body))
    return Trigger(name, f"{moment} {event[2].lower() if event else 'update'}", writes)


def _definitions(text: str) -> dict[str, str]:
    """The comma-separated parts of CREATE TABLE, by column name; table constraints under numbers."""
    body = text[text.find("(") + 1 : text.rfind(")")]
    parts, depth, start, quote = [], 0, 0, ""
    for at, letter in enumerate(body):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"`":
            quote = letter
        elif letter == "[":
            quote = "]"
        elif letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == "," and depth == 0:
            parts.append(body[start:at])
            start = at + 1
    parts.append(body[start:])
    found: dict[str, str] = {}
    for number, part in enumerate(parts):
        name = re.match(r"\s*(?:\"([^\"]+)\"|`([^`]+)`|\[([^\]]+)\]|(\w+))", part)
        word = next((group for group in name.groups() if group), "") if name else ""
        is_constraint = word.upper() in {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}
        found[str(number) if is_constraint or not word else word.lower()] = part
    return found


def _checks(definitions: dict[str, str]) -> list[str]:
    found = []
    for part in definitions.values():
        for match in re.finditer(r"\bCHECK\s*\(", part, re.IGNORECASE):
            depth, end = 1, match.end()
            while depth and end < len(part):
                depth += {"(": 1, ")": -1}.get(part[end], 0)
                end += 1
            found.append(f"CHECK ({part[match.end() : end - 1].strip()})")
    return found
