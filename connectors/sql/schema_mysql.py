"""MariaDB's and MySQL's catalogue out of information_schema."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from connectors.sql.schema import ALL_WRITES, Paging, Run, Table, count_uncounted, with_counts
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

TABLES: Final = """
SELECT table_name, table_type, table_rows, coalesce(data_length, 0) + coalesce(index_length, 0)
FROM information_schema.tables WHERE table_schema = :schema AND table_type IN ('BASE TABLE', 'VIEW')
"""
COLUMNS: Final = """
SELECT table_name, column_name, data_type, column_type, is_nullable, character_maximum_length, collation_name,
       column_default, extra
FROM information_schema.columns WHERE table_schema = :schema ORDER BY table_name, ordinal_position
"""
INDEXES: Final = """
SELECT table_name, index_name, non_unique, index_type, column_name, sub_part
FROM information_schema.statistics WHERE table_schema = :schema ORDER BY table_name, index_name, seq_in_index
"""
LINKS: Final = """
SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema, k.referenced_table_name,
       k.referenced_column_name, r.delete_rule, r.update_rule
FROM information_schema.key_column_usage k
JOIN information_schema.referential_constraints r
  ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
 AND r.table_name = k.table_name
WHERE k.table_schema = :schema AND k.referenced_table_name IS NOT NULL
ORDER BY k.table_name, k.constraint_name, k.ordinal_position
"""
CHECKS_MARIADB: Final = """
SELECT table_name, constraint_name, check_clause FROM information_schema.check_constraints
WHERE constraint_schema = :schema ORDER BY table_name, constraint_name
"""
CHECKS_MYSQL: Final = """
SELECT t.table_name, c.constraint_name, c.check_clause
FROM information_schema.check_constraints c JOIN information_schema.table_constraints t
  ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name
WHERE c.constraint_schema = :schema AND t.constraint_type = 'CHECK' ORDER BY t.table_name, c.constraint_name
"""
TRIGGERS: Final = """
SELECT event_object_table, trigger_name, action_timing, event_manipulation, action_statement
FROM information_schema.triggers WHERE trigger_schema = :schema ORDER BY event_object_table, trigger_name
"""
VIEWS: Final = "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = :schema"
GRANTS: Final = "SHOW GRANTS"
SIZED: Final = frozenset({"char", "varchar", "text", "tinytext"})

ACTIONS: Final = {
    "NO ACTION": LinkAction.NO_ACTION,
    "RESTRICT": LinkAction.RESTRICT,
    "CASCADE": LinkAction.CASCADE,
    "SET NULL": LinkAction.SET_NULL,
    "SET DEFAULT": LinkAction.SET_DEFAULT,
}
TYPES: Final = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit"), FieldType.INTEGER),
    **dict.fromkeys(("decimal", "float", "double"), FieldType.NUMBER),
    **dict.fromkeys(("char", "varchar", "text", "tinytext", "mediumtext", "longtext", "enum", "set"), FieldType.TEXT),
    **dict.fromkeys(("binary", "varbinary", "blob", "tinyblob", "mediumblob", "longblob"), FieldType.BINARY),
    **dict.fromkeys(("datetime", "timestamp"), FieldType.INSTANT),
    **dict.fromkeys(("inet4", "inet6"), FieldType.ADDRESS),
    "date": FieldType.DATE,
    "time": FieldType.TIME,
    "json": FieldType.JSON,
    "uuid": FieldType.UUID,
}


def load_mysql(run: Run, schema: str, *, is_mariadb: bool) -> dict[str, Table]:
    """Every table and view of the database."""
    given = {"schema": schema}
    relations = run(TABLES, given)
    columns, indexes = _by_table(run(COLUMNS, given)), _by_table(run(INDEXES, given))
    links, triggers = _by_table(run(LINKS, given)), _by_table(run(TRIGGERS, given))
    checks = _by_table(run(CHECKS_MARIADB if is_mariadb else CHECKS_MYSQL, given))
    views = {record[0]: record[1] or "" for record in run(VIEWS, given)}
    rights = granted_rights([str(record[0]) for record in run(GRANTS, {})], schema)
    names = {str(record[0]) for record in relations}
    tables = []
    for name, kind, rows, size in relations:
        declared = _indexes(indexes[name])
        fields = tuple(_field(each, checks[name], declared) for each in columns[name])
        key = _key(declared, fields)
        is_view = kind == "VIEW"
        collection = Collection(
            name=name,
            kind=CollectionKind.VIEW if is_view else CollectionKind.TABLE,
            fields=fields,
            key=key,
            no_key=not key,
            links=_links(links[name], schema),
            indexes=tuple(declared),
            rows=Count(int(rows), Certainty.ESTIMATE) if rows and not is_view else UNKNOWN_COUNT,
            bytes=None if is_view else int(size),
            derived_from=_sources(views.get(name, ""), schema, names),
            triggers=tuple(_trigger(each) for each in triggers[name]),
            refuses=ALL_WRITES if is_view else frozenset(),
        )
        held = rights.get(name, rights["*"])
        tables.append(Table(collection, schema, Paging.KEY if key else Paging.DIGEST, key, held))
    return with_counts(tables, count_uncounted(tables, run, _quoted))


def granted_rights(lines: list[str], schema: str) -> dict[str, frozenset[str]]:
    """What SHOW GRANTS gives on the database: by table, and under `*` on all tables."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        grant = re.match(r"GRANT (.+?) ON (?:TABLE )?(\S+)\.(\S+) TO ", line)
        if grant is None:
            continue
        database, table = grant[2].strip("`").replace("\\_", "_"), grant[3].strip("`")
        if database not in {"*", schema}:
            continue
        words = {re.sub(r"\s*\(.*", "", word).strip().lower() for word in re.split(r",(?![^(]*\))", grant[1])}
        if "all privileges" in words or "all" in words:
            words = {"select", "insert", "update", "delete", "create", "alter"}
        found[table].update(words)
    everywhere = frozenset(found.pop("*", set()))
    return {"*": everywhere, **{table: everywhere | words for table, words in found.items()}}


def _by_table(records: Iterable[Record]) -> dict[str, list[Record]]:
    grouped: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        grouped[record[0]].append(record)
    return grouped


def _quoted(table: Table) -> str:
    parts = (table.schema or "", table.name)
    return ".".join("`" + part.replace("`", "``") + "`" for part in parts)


def _field(record: Record, checks: list[Record], indexes: list[Index]) -> Field:
    _, path, data_type, column_type, nullable, length, collation, default, extra = record
    about = [each[2] for each in checks if f"`{path}`" in each[2]]
    is_json = data_type == "json" or any(re.fullmatch(r"json_valid\(`.*`\)", text, re.I) for text in about)
    labels = re.findall(r"'((?:[^']|'')*)'", column_type) if data_type in {"enum", "set"} else []
    return Field(
        path=path,
        type=FieldType.JSON if is_json else TYPES.get(data_type, FieldType.OTHER),
        native=column_type,
        nullable=nullable == "YES",
        max_length=int(length) if length is not None and data_type in SIZED else None,
        unique=any(index.unique and index.fields == (path,) for index in indexes),
        generated="GENERATED" in extra.upper() and "DEFAULT_GENERATED" not in extra.upper(),
        default=None if default in {None, "NULL"} else str(default),
        enum=tuple(label.replace("''", "'") for label in labels) if data_type == "enum" else (),
        check=" AND ".join(f"CHECK ({text})" for text in about) or None,
        indexed=any(index.fields[:1] == (path,) for index in indexes),
        case_insensitive=bool(collation) and "_ci" in collation,
    )


def _indexes(records: list[Record]) -> list[Index]:
    grouped: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        grouped[record[1]].append(record)
    return [
        Index(
            name,
            tuple(str(each[4]) for each in parts if each[4] is not None),
            not int(parts[0][2]),
            str(parts[0][3]).lower(),
            None if all(each[4] is not None for each in parts) else "expression",
            any(each[5] is not None for each in parts),
        )
        for name, parts in grouped.items()
    ]


def _key(indexes: list[Index], fields: tuple[Field, ...]) -> tuple[str, ...]:
    required = {field.path for field in fields if not field.nullable}
    candidates = [
        index
        for index in indexes
        if index.unique and not index.partial and not index.expression and required.issuperset(index.fields)
    ]
    candidates.sort(key=lambda index: (index.name != "PRIMARY", len(index.fields), index.name))
    return candidates[0].fields if candidates else ()


def _links(records: list[Record], schema: str) -> tuple[DeclaredLink, ...]:
    grouped: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        grouped[record[1]].append(record)
    return tuple(
        DeclaredLink(
            name,
            tuple(str(each[2]) for each in parts),
            parts[0][4] if parts[0][3] == schema else f"{parts[0][3]}.{parts[0][4]}",
            tuple(str(each[5]) for each in parts),
            ACTIONS[parts[0][6]],
            ACTIONS[parts[0][7]],
        )
        for name, parts in grouped.items()
    )


def _sources(definition: str, schema: str, names: set[str]) -> tuple[str, ...]:
    found = re.findall(rf"`{re.escape(schema)}`\.`((?:[^`]|``)+)`(?!\.)", definition)
    return tuple(sorted({name.replace("``", "`") for name in found} & names))


def _trigger(record: Record) -> Trigger:
    _, name, moment, event, body = record
    reads_only = not re.search(r"\b(insert|update|delete|replace|call|set|truncate)\b", body, re.IGNORECASE)
    return Trigger(name, f"{moment} {event}".lower(), not reads_only)
