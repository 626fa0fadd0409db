"""SQL Server's catalogue out of `sys`. Compiled and reviewed, never run against a server."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from connectors.sql.schema import ALL_WRITES, Paging, Run, Table
from connectors.sql.session import Record
from privacyops.connector_sdk import (
    UNKNOWN_COUNT,
    Certainty,
    Collection,
    CollectionKind,
    Count,
    DeclaredLink,
    Field,
    FieldType,
    Index,
    LinkAction,
    Trigger,
)

RELATIONS: Final = """
SELECT o.object_id, o.name, RTRIM(o.type), t.temporal_type,
       (SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1)),
       (SELECT SUM(a.total_pages) * 8192 FROM sys.partitions p JOIN sys.allocation_units a
          ON a.container_id = p.partition_id WHERE p.object_id = o.object_id),
       CASE WHEN EXISTS (SELECT 1 FROM sys.security_predicates f JOIN sys.security_policies s
                           ON s.object_id = f.object_id
                         WHERE f.target_object_id = o.object_id AND s.is_enabled = 1) THEN 1 ELSE 0 END,
       HAS_PERMS_BY_NAME(QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), 'OBJECT', 'SELECT'),
       HAS_PERMS_BY_NAME(QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), 'OBJECT', 'INSERT'),
       HAS_PERMS_BY_NAME(QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), 'OBJECT', 'UPDATE'),
       HAS_PERMS_BY_NAME(QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), 'OBJECT', 'DELETE')
FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id LEFT JOIN sys.tables t ON t.object_id = o.object_id
WHERE s.name = :schema AND o.type IN ('U', 'V') AND o.is_ms_shipped = 0
"""
COLUMNS: Final = """
SELECT c.object_id, c.name, y.name, c.max_length, c.precision, c.scale, c.is_nullable, c.collation_name,
       CASE WHEN c.is_computed = 1 OR c.is_identity = 1 OR c.generated_always_type <> 0 OR y.name = 'timestamp'
            THEN 1 ELSE 0 END, d.definition
FROM sys.columns c JOIN sys.objects o ON o.object_id = c.object_id JOIN sys.schemas s ON s.schema_id = o.schema_id
LEFT JOIN sys.types y ON y.user_type_id = CASE WHEN c.system_type_id = 240 THEN c.user_type_id ELSE c.system_type_id END
LEFT JOIN sys.default_constraints d ON d.object_id = c.default_object_id
WHERE s.name = :schema AND o.type IN ('U', 'V') AND o.is_ms_shipped = 0 ORDER BY c.object_id, c.column_id
"""
INDEXES: Final = """
SELECT i.object_id, i.name, i.is_unique, i.is_primary_key, i.has_filter, LOWER(i.type_desc), c.name
FROM sys.indexes i JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id
JOIN sys.columns c ON c.object_id = k.object_id AND c.column_id = k.column_id
JOIN sys.objects o ON o.object_id = i.object_id JOIN sys.schemas s ON s.schema_id = o.schema_id
WHERE s.name = :schema AND o.type IN ('U', 'V') AND i.is_disabled = 0 AND i.is_hypothetical = 0 AND k.key_ordinal > 0
ORDER BY i.object_id, i.index_id, k.key_ordinal
"""
LINKS: Final = """
SELECT f.parent_object_id, f.name, c.name, rs.name, r.name, rc.name,
       f.delete_referential_action, f.update_referential_action
FROM sys.foreign_keys f JOIN sys.foreign_key_columns k ON k.constraint_object_id = f.object_id
JOIN sys.columns c ON c.object_id = k.parent_object_id AND c.column_id = k.parent_column_id
JOIN sys.columns rc ON rc.object_id = k.referenced_object_id AND rc.column_id = k.referenced_column_id
JOIN sys.objects r ON r.object_id = f.referenced_object_id JOIN sys.schemas rs ON rs.schema_id = r.schema_id
JOIN sys.schemas s ON s.schema_id = f.schema_id
WHERE s.name = :schema ORDER BY f.parent_object_id, f.name, k.constraint_column_id
"""
CHECKS: Final = """
SELECT k.parent_object_id, k.name, k.definition FROM sys.check_constraints k
JOIN sys.schemas s ON s.schema_id = k.schema_id
WHERE s.name = :schema AND k.is_disabled = 0 ORDER BY k.parent_object_id, k.name
"""
TRIGGERS: Final = """
SELECT t.parent_id, t.name, t.is_instead_of_trigger, LOWER(e.type_desc), m.definition
FROM sys.triggers t JOIN sys.trigger_events e ON e.object_id = t.object_id
JOIN sys.objects o ON o.object_id = t.parent_id JOIN sys.schemas s ON s.schema_id = o.schema_id
LEFT JOIN sys.sql_modules m ON m.object_id = t.object_id
WHERE s.name = :schema AND t.is_disabled = 0 ORDER BY t.parent_id, t.name, e.type_desc
"""
SOURCES: Final = """
SELECT DISTINCT v.object_id, r.name FROM sys.views v JOIN sys.schemas s ON s.schema_id = v.schema_id
JOIN sys.sql_expression_dependencies d ON d.referencing_id = v.object_id
JOIN sys.objects r ON r.object_id = d.referenced_id AND r.schema_id = v.schema_id AND r.type IN ('U', 'V')
WHERE s.name = :schema ORDER BY v.object_id, r.name
"""
ACTIONS: Final = (LinkAction.NO_ACTION, LinkAction.CASCADE, LinkAction.SET_NULL, LinkAction.SET_DEFAULT)
HISTORY, VERSIONED = 1, 2
"""`temporal_type`: a history table takes no change, and the table it belongs to keeps what is deleted in it."""
TYPES: Final = {
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), FieldType.INTEGER),
    **dict.fromkeys(("decimal", "numeric", "money", "smallmoney", "float", "real"), FieldType.NUMBER),
    **dict.fromkeys(("char", "varchar", "nchar", "nvarchar", "text", "ntext"), FieldType.TEXT),
    **dict.fromkeys(("binary", "varbinary", "image", "timestamp"), FieldType.BINARY),
    **dict.fromkeys(("datetime", "datetime2", "smalldatetime", "datetimeoffset"), FieldType.INSTANT),
    "bit": FieldType.BOOLEAN,
    "date": FieldType.DATE,
    "time": FieldType.TIME,
    "json": FieldType.JSON,
    "uniqueidentifier": FieldType.UUID,
}
_SIZED: Final = {"char": 1, "varchar": 1, "nchar": 2, "nvarchar": 2}
"""Bytes that the catalogue counts for a character."""
_FINE: Final = frozenset({"datetime2", "datetimeoffset", "time"})
"""Types that may count tenths of microseconds, which no value here has: they make no key."""
_OWN_I: Final = ("Turkish", "Azeri")
"""Languages whose small I is another letter: what their collations call equal is narrower than ours."""


def load_mssql(run: Run, schema: str) -> dict[str, Table]:
    """Every table and view of the schema."""
    given = {"schema": schema}
    relations = run(RELATIONS, given)
    columns, indexes = _by_table(run(COLUMNS, given)), _by_table(run(INDEXES, given))
    links, checks = _by_table(run(LINKS, given)), _by_table(run(CHECKS, given))
    triggers, sources = _by_table(run(TRIGGERS, given)), _by_table(run(SOURCES, given))
    tables = [
        _table(
            record,
            schema,
            columns[record[0]],
            indexes[record[0]],
            links[record[0]],
            checks[record[0]],
            triggers[record[0]],
            tuple(str(each[1]) for each in sources[record[0]]),
        )
        for record in relations
    ]
    return {table.name: table for table in sorted(tables, key=lambda each: each.name)}


def _by_table(records: Iterable[Record]) -> dict[int, list[Record]]:
    grouped: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        grouped[record[0]].append(record)
    return grouped


def _table(
    record: Record,
    schema: str,
    columns: list[Record],
    indexed: list[Record],
    links: list[Record],
    checks: list[Record],
    triggers: list[Record],
    sources: tuple[str, ...],
) -> Table:
    _, name, kind, temporal, rows, size, secured, *granted = record
    rights = frozenset(
        right for right, has in zip(("select", "insert", "update", "delete"), granted, strict=True) if has == 1
    )
    is_view = kind == "V"
    indexes = _indexes(indexed)
    primary = {str(each[1]) for each in indexed if each[3]}
    fields = tuple(_field(each, checks, indexes) for each in columns)
    key = _key(indexes, primary, fields)
    collection = Collection(
        name=name,
        kind=CollectionKind.VIEW if is_view else CollectionKind.TABLE,
        fields=fields,
        key=key,
        no_key=not key,
        links=_links(links, schema),
        indexes=tuple(indexes),
        rows=UNKNOWN_COUNT if is_view or rows is None else Count(int(rows), Certainty.ESTIMATE),
        bytes=None if is_view or size is None else int(size),
        derived_from=sources,
        triggers=_triggers(triggers),
        versions=temporal == VERSIONED,
        refuses=ALL_WRITES if is_view or temporal == HISTORY else frozenset(),
    )
    return Table(collection, schema, Paging.KEY if key else Paging.DIGEST, key, rights, bool(secured))


def _field(record: Record, checks: list[Record], indexes: list[Index]) -> Field:
    _, path, kind, length, precision, scale, nullable, collation, generated, default = record
    kind = str(kind).lower()
    native = kind
    if kind in _SIZED:
        native = f"{kind}({'max' if length < 0 else length // _SIZED[kind]})"
    elif kind in {"decimal", "numeric"}:
        native = f"{kind}({precision},{scale})"
    elif kind in _FINE:
        native = f"{kind}({scale})"
    about = [str(each[2]) for each in checks if f"[{path}]" in str(each[2])]
    return Field(
        path=path,
        type=TYPES.get(kind, FieldType.OTHER),
        native=native,
        nullable=bool(nullable),
        max_length=length // _SIZED[kind] if kind in _SIZED and length > 0 else None,
        unique=any(index.unique and not index.partial and index.fields == (path,) for index in indexes),
        generated=bool(generated),
        default=default,
        check=" AND ".join(f"CHECK ({text})" for text in about) or None,
        indexed=any(index.fields[:1] == (path,) and not index.partial for index in indexes),
        case_insensitive=bool(collation) and "_CI_" in f"{collation}_" and not str(collation).startswith(_OWN_I),
    )


def _indexes(records: list[Record]) -> list[Index]:
    grouped: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        grouped[str(record[1])].append(record)
    return [
        Index(name, tuple(str(each[6]) for each in parts), bool(parts[0][2]), str(parts[0][5]), None, bool(parts[0][4]))
        for name, parts in grouped.items()
    ]


def _key(indexes: list[Index], primary: set[str], fields: tuple[Field, ...]) -> tuple[str, ...]:
    """The primary key, or the shortest unique index without empty cells, if its values can be read exactly."""
    usable = {
        field.path
        for field in fields
        if not field.nullable
        and not (field.native.partition("(")[0] in _FINE and field.native.endswith("(7)"))
        and field.native not in {"float", "real", "sql_variant", "hierarchyid"}
    }
    candidates = [index for index in indexes if index.unique and not index.partial and usable.issuperset(index.fields)]
    candidates.sort(key=lambda index: (index.name not in primary, len(index.fields), index.name))
    return candidates[0].fields if candidates else ()


def _links(records: list[Record], schema: str) -> tuple[DeclaredLink, ...]:
    grouped: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        grouped[str(record[1])].append(record)
    return tuple(
        DeclaredLink(
            name,
            tuple(str(each[2]) for each in parts),
            str(parts[0][4]) if parts[0][3] == schema else f"{parts[0][3]}.{parts[0][4]}",
            tuple(str(each[5]) for each in parts),
            ACTIONS[parts[0][6]],
            ACTIONS[parts[0][7]],
        )
        for name, parts in grouped.items()
    )


def _triggers(records: list[Record]) -> tuple[Trigger, ...]:
    """One a trigger, with its events; one whose text is encrypted is taken for one that writes."""
    grouped: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        grouped[str(record[1])].append(record)
    found = []
    for name, parts in grouped.items():
        moment = "instead of" if parts[0][2] else "after"
        body = parts[0][4]
        inside = re.sub(r"(?is)^.*?\bAS\b", "", str(body or ""), count=1)
        writes = not body or re.search(r"\b(insert|update|delete|merge|exec|execute|truncate)\b", inside, re.I)
        found.append(Trigger(name, f"{moment} {' or '.join(str(each[3]) for each in parts)}", bool(writes)))
    return tuple(found)
