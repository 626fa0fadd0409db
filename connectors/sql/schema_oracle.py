"""Oracle Database's catalogue out of the `ALL_` views. Compiled and reviewed, never run against a server."""

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
    Refresh,
    Trigger,
)

RELATIONS: Final = """
SELECT t.table_name, 'TABLE', t.num_rows, t.blocks * 8192 FROM all_tables t
WHERE t.owner = :schema AND t.nested = 'NO' AND t.secondary = 'N' AND t.dropped = 'NO' AND t.iot_name IS NULL
  AND NOT EXISTS (SELECT 1 FROM all_mviews m WHERE m.owner = t.owner AND m.mview_name = t.table_name)
  AND NOT EXISTS (SELECT 1 FROM all_mview_logs l WHERE l.log_owner = t.owner AND l.log_table = t.table_name)
UNION ALL SELECT v.view_name, 'VIEW', NULL, NULL FROM all_views v WHERE v.owner = :schema
UNION ALL SELECT m.mview_name, 'MVIEW', NULL, NULL FROM all_mviews m WHERE m.owner = :schema
"""
COLUMNS: Final = """
SELECT c.table_name, c.column_name, c.data_type, c.char_length, c.data_precision, c.data_scale, c.nullable,
       c.collation, CASE WHEN c.virtual_column = 'YES' OR i.generation_type = 'ALWAYS' THEN 1 ELSE 0 END
FROM all_tab_cols c LEFT JOIN all_tab_identity_cols i
  ON i.owner = c.owner AND i.table_name = c.table_name AND i.column_name = c.column_name
WHERE c.owner = :schema AND c.hidden_column = 'NO' ORDER BY c.table_name, c.column_id
"""
CONSTRAINTS: Final = """
SELECT k.table_name, k.constraint_name, k.constraint_type, l.column_name, k.search_condition_vc, k.delete_rule,
       k.deferrable, r.owner, r.table_name, rl.column_name
FROM all_constraints k JOIN all_cons_columns l ON l.owner = k.owner AND l.constraint_name = k.constraint_name
LEFT JOIN all_constraints r ON r.owner = k.r_owner AND r.constraint_name = k.r_constraint_name
LEFT JOIN all_cons_columns rl
  ON rl.owner = r.owner AND rl.constraint_name = r.constraint_name AND rl.position = l.position
WHERE k.owner = :schema AND k.constraint_type IN ('P', 'U', 'R', 'C') AND k.status = 'ENABLED'
ORDER BY k.table_name, k.constraint_name, l.position
"""
INDEXES: Final = """
SELECT i.table_name, i.index_name, i.uniqueness, LOWER(i.index_type), c.column_name, e.column_expression
FROM all_indexes i JOIN all_ind_columns c ON c.index_owner = i.owner AND c.index_name = i.index_name
LEFT JOIN all_ind_expressions e
  ON e.index_owner = i.owner AND e.index_name = i.index_name AND e.column_position = c.column_position
WHERE i.table_owner = :schema AND i.status IN ('VALID', 'N/A') AND i.visibility = 'VISIBLE'
ORDER BY i.table_name, i.index_name, c.column_position
"""
TRIGGERS: Final = """
SELECT g.table_name, g.trigger_name, LOWER(g.trigger_type), LOWER(g.triggering_event), g.trigger_body
FROM all_triggers g WHERE g.table_owner = :schema AND g.status = 'ENABLED' AND g.base_object_type IN ('TABLE', 'VIEW')
ORDER BY g.table_name, g.trigger_name
"""
SOURCES: Final = """
SELECT DISTINCT d.name, d.referenced_name FROM all_dependencies d
WHERE d.owner = :schema AND d.type IN ('VIEW', 'MATERIALIZED VIEW') AND d.referenced_owner = :schema
  AND d.referenced_type IN ('TABLE', 'VIEW', 'MATERIALIZED VIEW') AND d.referenced_name <> d.name ORDER BY 1, 2
"""
RIGHTS: Final = """
SELECT p.table_name, LOWER(p.privilege) FROM all_tab_privs p
WHERE p.table_schema = :schema AND p.privilege IN ('SELECT', 'READ', 'INSERT', 'UPDATE', 'DELETE')
  AND (p.grantee IN ('PUBLIC', SYS_CONTEXT('USERENV', 'SESSION_USER'))
       OR p.grantee IN (SELECT role FROM session_roles))
UNION ALL SELECT '*', LOWER(REPLACE(s.privilege, ' ANY TABLE')) FROM session_privs s
WHERE s.privilege IN ('SELECT ANY TABLE', 'READ ANY TABLE', 'INSERT ANY TABLE', 'UPDATE ANY TABLE', 'DELETE ANY TABLE')
UNION ALL SELECT '*', 'all' FROM dual WHERE :schema = SYS_CONTEXT('USERENV', 'SESSION_USER')
"""
POLICIES: Final = """
SELECT DISTINCT o.object_name FROM all_policies o WHERE o.object_owner = :schema AND o.enable = 'YES'
"""
KINDS: Final = {"VIEW": CollectionKind.VIEW, "MVIEW": CollectionKind.MATERIALIZED_VIEW}
ACTIONS: Final = {"CASCADE": LinkAction.CASCADE, "SET NULL": LinkAction.SET_NULL, "NO ACTION": LinkAction.NO_ACTION}
TYPES: Final = {
    **dict.fromkeys(("VARCHAR2", "NVARCHAR2", "CHAR", "NCHAR", "CLOB", "NCLOB"), FieldType.TEXT),
    **dict.fromkeys(("RAW", "BLOB", "BFILE", "LONG RAW"), FieldType.BINARY),
    **dict.fromkeys(("BINARY_FLOAT", "BINARY_DOUBLE", "FLOAT"), FieldType.NUMBER),
    "DATE": FieldType.INSTANT,
    "JSON": FieldType.JSON,
    "BOOLEAN": FieldType.BOOLEAN,
}
_FINE: Final = re.compile(r"TIMESTAMP\([789]\)")
"""Moments finer than a microsecond, which no value here has: they make no key."""


def load_oracle(run: Run, schema: str) -> dict[str, Table]:
    """Every table, view and materialized view of the owner `schema`. A user's own tables are all hers."""
    given = {"schema": schema}
    relations = run(RELATIONS, given)
    columns, constraints = _by_table(run(COLUMNS, given)), _by_table(run(CONSTRAINTS, given))
    indexes, triggers = _by_table(run(INDEXES, given)), _by_table(run(TRIGGERS, given))
    sources, granted = _by_table(run(SOURCES, given)), _rights(run(RIGHTS, given))
    secured = {str(record[0]) for record in run(POLICIES, given)}
    tables = [
        _table(
            record,
            schema,
            columns[record[0]],
            constraints[record[0]],
            indexes[record[0]],
            tuple(_trigger(each) for each in triggers[record[0]]),
            tuple(str(each[1]) for each in sources[record[0]]),
            granted["*"] | granted.get(str(record[0]), frozenset()),
            str(record[0]) in secured,
        )
        for record in relations
    ]
    return {table.name: table for table in sorted(tables, key=lambda each: each.name)}


def _by_table(records: Iterable[Record]) -> dict[str, list[Record]]:
    grouped: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        grouped[str(record[0])].append(record)
    return grouped


def _rights(records: list[Record]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {"*": set()}
    for table, word in records:
        words = (
            {"select", "insert", "update", "delete"} if word == "all" else {"select" if word == "read" else str(word)}
        )
        found.setdefault(str(table), set()).update(words)
    return {table: frozenset(words) for table, words in found.items()}


def _table(
    record: Record,
    schema: str,
    columns: list[Record],
    constrained: list[Record],
    indexed: list[Record],
    triggers: tuple[Trigger, ...],
    sources: tuple[str, ...],
    rights: frozenset[str],
    is_secured: bool,
) -> Table:
    name, kind, rows, size = record
    constraints = _grouped(constrained)
    indexes = _indexes(indexed)
    checks = [(str(parts[0][4]), {str(each[3]) for each in parts}) for parts in constraints if parts[0][2] == "C"]
    fields = tuple(_field(each, checks, indexes) for each in columns)
    key = _key(constraints, indexes, fields)
    is_derived = kind in KINDS
    collection = Collection(
        name=str(name),
        kind=KINDS.get(str(kind), CollectionKind.TABLE),
        fields=fields,
        key=key,
        no_key=not key,
        links=tuple(_link(parts, schema) for parts in constraints if parts[0][2] == "R"),
        indexes=tuple(indexes),
        rows=Count(int(rows), Certainty.ESTIMATE) if rows else UNKNOWN_COUNT,
        bytes=None if size is None else int(size),
        derived_from=sources,
        refresh=Refresh.MANUAL if kind == "MVIEW" else Refresh.NONE,
        triggers=triggers,
        refuses=ALL_WRITES if is_derived else frozenset(),
    )
    paging = Paging.KEY if key else Paging.DIGEST if kind == "VIEW" else Paging.ROWID
    return Table(collection, schema, paging, key, rights, is_secured)


def _grouped(records: list[Record]) -> list[list[Record]]:
    grouped: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        grouped[str(record[1])].append(record)
    return list(grouped.values())


def _field(record: Record, checks: list[tuple[str, set[str]]], indexes: list[Index]) -> Field:
    _, path, kind, length, precision, scale, nullable, collation, generated = record
    kind = str(kind)
    is_sized = kind in {"VARCHAR2", "NVARCHAR2", "CHAR", "NCHAR"}
    native = f"{kind}({length})" if is_sized else kind
    if kind == "NUMBER":
        native = "NUMBER" if precision is None and scale is None else f"NUMBER({precision or 38},{scale or 0})"
    texts = [text for text, paths in checks if path in paths and text != f'"{path}" IS NOT NULL']
    return Field(
        path=str(path),
        type=_type(kind, scale),
        native=native,
        nullable=nullable == "Y",
        max_length=int(length) if is_sized else None,
        unique=any(index.unique and not index.expression and index.fields == (path,) for index in indexes),
        generated=bool(generated),
        check=" AND ".join(f"CHECK ({text})" for text in texts) or None,
        indexed=any(index.fields[:1] == (path,) for index in indexes),
        case_insensitive=str(collation or "").endswith(("_CI", "_AI")),
    )


def _type(kind: str, scale: int | None) -> FieldType:
    if kind == "NUMBER":
        return FieldType.INTEGER if scale == 0 else FieldType.NUMBER
    if kind.startswith("TIMESTAMP"):
        return FieldType.INSTANT
    return FieldType.DURATION if kind.startswith("INTERVAL") else TYPES.get(kind, FieldType.OTHER)


def _indexes(records: list[Record]) -> list[Index]:
    """A descending column and an expression stand in the catalogue as one; such an index is no column's own."""
    found = []
    for parts in _grouped(records):
        expression = next((str(each[5]) for each in parts if each[5] is not None), None)
        fields = () if expression else tuple(str(each[4]) for each in parts)
        found.append(Index(str(parts[0][1]), fields, parts[0][2] == "UNIQUE", str(parts[0][3]), expression, False))
    return found


def _key(constraints: list[list[Record]], indexes: list[Index], fields: tuple[Field, ...]) -> tuple[str, ...]:
    """The primary key, else the shortest unique one without empty cells, if its values can be read exactly."""
    usable = {
        field.path
        for field in fields
        if not field.nullable and not _FINE.match(field.native) and not field.native.startswith(("BINARY_", "FLOAT"))
    }
    named = [tuple(str(each[3]) for each in parts) for parts in constraints if parts[0][2] == "P"]
    named += sorted((tuple(str(each[3]) for each in parts) for parts in constraints if parts[0][2] == "U"), key=len)
    named += [index.fields for index in indexes if index.unique and index.fields]
    return next((each for each in named if usable.issuperset(each)), ())


def _link(parts: list[Record], schema: str) -> DeclaredLink:
    _, name, _, _, _, rule, deferrable, owner, to, _ = parts[0]
    return DeclaredLink(
        str(name),
        tuple(str(each[3]) for each in parts),
        str(to) if owner == schema else f"{owner}.{to}",
        tuple(str(each[9]) for each in parts),
        ACTIONS.get(str(rule), LinkAction.NO_ACTION),
        LinkAction.NO_ACTION,
        deferrable == "DEFERRABLE",
    )


def _trigger(record: Record) -> Trigger:
    _, name, moment, events, body = record
    word = next((each for each in ("instead of", "before", "after") if str(moment).startswith(each)), "after")
    writes = not body or re.search(
        r"\b(insert|update|delete|merge|execute|call)\b|:new\s*\.\s*\w+\s*:=", str(body), re.I
    )
    return Trigger(str(name), f"{word} {events}", bool(writes))
