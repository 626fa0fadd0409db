"""PostgreSQL's catalogue in seven statements, however many tables there are."""

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
    Refresh,
    Trigger,
)

RELATIONS: Final = """
SELECT c.oid, c.relname::text, c.relkind::text,
       CASE WHEN c.relispopulated THEN c.reltuples::bigint END, pg_total_relation_size(c.oid),
       c.relrowsecurity AND NOT pg_has_role(c.relowner, 'USAGE'),
       (SELECT p.relname::text FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
         WHERE i.inhrelid = c.oid AND p.relnamespace = c.relnamespace ORDER BY i.inhseqno LIMIT 1),
       has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'),
       has_table_privilege(c.oid, 'INSERT'),
       has_table_privilege(c.oid, 'UPDATE') OR has_any_column_privilege(c.oid, 'UPDATE'),
       has_table_privilege(c.oid, 'DELETE')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""

COLUMNS: Final = """
SELECT a.attrelid, a.attname::text, format_type(a.atttypid, a.atttypmod), b.typname::text, b.typtype::text,
       b.typcategory::text, a.attnotnull OR t.typnotnull, a.atttypmod, t.typtypmod, a.attgenerated <> '',
       pg_get_expr(ad.adbin, ad.adrelid), coalesce(NOT co.collisdeterministic, false),
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder),
       el.typname::text, el.typtype::text, el.typcategory::text,
       (SELECT string_agg(pg_get_constraintdef(k.oid), ' AND ') FROM pg_constraint k WHERE k.contypid = t.oid)
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_type el ON el.oid = b.typelem AND b.typcategory = 'A'
LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
LEFT JOIN pg_collation co ON co.oid = a.attcollation
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

CONSTRAINTS: Final = """
SELECT k.conrelid, k.conname::text, k.contype::text,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i),
       CASE WHEN f.relnamespace = k.connamespace THEN f.relname::text ELSE fn.nspname || '.' || f.relname END,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, i)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i),
       k.confdeltype::text, k.confupdtype::text, k.condeferrable, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
WHERE n.nspname = :schema AND k.conrelid <> 0 AND k.contype IN ('p', 'u', 'f', 'c', 'x')
ORDER BY k.conrelid, k.conname
"""

INDEXES: Final = """
SELECT i.indrelid, c.relname::text, i.indisunique, i.indpred IS NOT NULL, am.amname::text,
       pg_get_expr(i.indexprs, i.indrelid),
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(n, o)
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.n
             WHERE u.o <= i.indnkeyatts ORDER BY u.o)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND i.indisvalid ORDER BY i.indrelid, c.relname
"""

TRIGGERS: Final = """
SELECT g.tgrelid, g.tgname::text, g.tgtype::int, p.prosrc, l.lanname::text
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_language l ON l.oid = p.prolang
WHERE n.nspname = :schema AND NOT g.tgisinternal AND g.tgenabled <> 'D' ORDER BY g.tgrelid, g.tgname
"""

SOURCES: Final = """
SELECT DISTINCT r.ev_class, CASE WHEN s.relnamespace = v.relnamespace THEN s.relname::text
                                 ELSE sn.nspname || '.' || s.relname END
FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class JOIN pg_namespace n ON n.oid = v.relnamespace
JOIN pg_depend d
  ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
JOIN pg_class s ON s.oid = d.refobjid AND s.oid <> v.oid JOIN pg_namespace sn ON sn.oid = s.relnamespace
WHERE n.nspname = :schema AND v.relkind IN ('v', 'm') ORDER BY 1, 2
"""

ELSEWHERE: Final = """
SELECT n.nspname::text FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND has_schema_privilege(n.oid, 'USAGE')
  AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
              AND has_table_privilege(c.oid, 'SELECT'))
ORDER BY n.nspname
"""

KINDS: Final = {"v": CollectionKind.VIEW, "m": CollectionKind.MATERIALIZED_VIEW}
ACTIONS: Final = {
    "a": LinkAction.NO_ACTION,
    "r": LinkAction.RESTRICT,
    "c": LinkAction.CASCADE,
    "n": LinkAction.SET_NULL,
    "d": LinkAction.SET_DEFAULT,
}
TYPES: Final = {
    "int2": FieldType.INTEGER,
    "int4": FieldType.INTEGER,
    "int8": FieldType.INTEGER,
    "oid": FieldType.INTEGER,
    "numeric": FieldType.NUMBER,
    "float4": FieldType.NUMBER,
    "float8": FieldType.NUMBER,
    "bool": FieldType.BOOLEAN,
    "date": FieldType.DATE,
    "timestamp": FieldType.INSTANT,
    "timestamptz": FieldType.INSTANT,
    "time": FieldType.TIME,
    "timetz": FieldType.TIME,
    "interval": FieldType.DURATION,
    "uuid": FieldType.UUID,
    "bytea": FieldType.BINARY,
    "json": FieldType.JSON,
    "jsonb": FieldType.JSON,
    "inet": FieldType.ADDRESS,
    "cidr": FieldType.ADDRESS,
    "macaddr": FieldType.ADDRESS,
    "text": FieldType.TEXT,
    "varchar": FieldType.TEXT,
    "bpchar": FieldType.TEXT,
    "citext": FieldType.TEXT,
    "name": FieldType.TEXT,
}


def load_postgresql(run: Run, schema: str) -> dict[str, Table]:
    """Every relation of the schema. A partition carries its topmost parent's name."""
    given = {"schema": schema}
    relations = run(RELATIONS, given)
    columns, constraints = _by_table(run(COLUMNS, given)), _by_table(run(CONSTRAINTS, given))
    indexes, triggers = _by_table(run(INDEXES, given)), _by_table(run(TRIGGERS, given))
    sources = _by_table(run(SOURCES, given))
    parents = {str(record[1]): record[6] for record in relations}
    tables = [
        _table(
            record,
            schema,
            _topmost(record[6], parents),
            columns[record[0]],
            constraints[record[0]],
            indexes[record[0]],
            triggers[record[0]],
            tuple(str(source[1]) for source in sources[record[0]]),
        )
        for record in relations
    ]
    return with_counts(tables, count_uncounted(tables, run, _quoted))


def schemas_with_tables(run: Run) -> tuple[str, ...]:
    """Those whose tables this role may read, by name."""
    return tuple(str(record[0]) for record in run(ELSEWHERE, {}))


def _by_table(records: Iterable[Record]) -> dict[int, list[Record]]:
    grouped: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        grouped[record[0]].append(record)
    return grouped


def _topmost(parent: str | None, parents: dict[str, str | None]) -> str | None:
    while parent is not None and parents.get(parent) is not None:
        parent = parents[parent]
    return parent


def _quoted(table: Table) -> str:
    parts = (table.schema or "public", table.name)
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def _table(
    record: Record,
    schema: str,
    parent: str | None,
    columns: list[Record],
    constraints: list[Record],
    indexes: list[Record],
    triggers: list[Record],
    sources: tuple[str, ...],
) -> Table:
    _, name, kind, tuples, size, secured, _, *granted = record
    rights = frozenset(
        right for right, has in zip(("select", "insert", "update", "delete"), granted, strict=True) if has
    )
    declared = [_index(each) for each in indexes]
    fields = tuple(_field(each, constraints, declared) for each in columns)
    key = _key(constraints, declared, fields)
    is_view = kind in KINDS
    collection = Collection(
        name=name,
        kind=KINDS.get(kind, CollectionKind.PARTITION if parent else CollectionKind.TABLE),
        fields=fields,
        key=key,
        no_key=not key,
        links=tuple(_link(each) for each in constraints if each[2] == "f"),
        indexes=tuple(declared),
        rows=_rows(tuples, kind),
        bytes=None if kind in "vf" else size,
        parent=parent,
        derived_from=sources,
        refresh=Refresh.MANUAL if kind == "m" else Refresh.NONE,
        triggers=tuple(_trigger(each) for each in triggers),
        refuses=ALL_WRITES if is_view else frozenset(),
    )
    paging = Paging.KEY if key else Paging.CTID if kind in "rm" else Paging.DIGEST
    return Table(collection, schema, paging, key, rights, bool(secured))


def _rows(tuples: int | None, kind: str) -> Count:
    if tuples is None:
        return Count(0)  # a materialized view that was never filled; reading it is an error
    return Count(tuples, Certainty.ESTIMATE) if tuples > 0 and kind != "v" else UNKNOWN_COUNT


def _key(constraints: list[Record], indexes: list[Index], fields: tuple[Field, ...]) -> tuple[str, ...]:
    for record in constraints:
        if record[2] == "p":
            return tuple(record[3])
    required = {field.path for field in fields if not field.nullable}
    for index in sorted(indexes, key=lambda each: (len(each.fields), each.name)):
        if index.unique and not index.partial and not index.expression and required.issuperset(index.fields):
            return index.fields
    return ()


def _field(record: Record, constraints: list[Record], indexes: list[Index]) -> Field:
    (_, path, native, base, typtype, category, required, modifier, domain_modifier, generated, default) = record[:11]
    loose, labels, element, element_type, element_category, domain_check = record[11:]
    checks = [each[9] for each in constraints if each[2] == "c" and path in each[3]]
    if domain_check:
        checks.append(domain_check)
    length = max(modifier, domain_modifier) - 4
    return Field(
        path=path,
        type=_type(base, typtype, category),
        native=native,
        nullable=not required,
        max_length=length if base in {"varchar", "bpchar"} and length > 0 else None,
        unique=any(index.unique and not index.partial and index.fields == (path,) for index in indexes),
        generated=generated,
        default=default,
        enum=tuple(labels),
        check=" AND ".join(checks) or None,
        indexed=any(index.fields[:1] == (path,) for index in indexes),
        case_insensitive=base == "citext" or loose,
        element=_type(element, element_type, element_category) if element else None,
    )


def _type(base: str, typtype: str, category: str) -> FieldType:
    if category == "A":
        return FieldType.ARRAY
    return FieldType.TEXT if typtype == "e" else TYPES.get(base, FieldType.OTHER)


def _index(record: Record) -> Index:
    _, name, unique, partial, method, expression, fields = record
    return Index(name, tuple(fields), unique and not expression, method, expression, partial)


def _link(record: Record) -> DeclaredLink:
    _, name, _, fields, to, to_fields, on_delete, on_update, deferrable, _ = record
    return DeclaredLink(name, tuple(fields), to, tuple(to_fields), ACTIONS[on_delete], ACTIONS[on_update], deferrable)


def _trigger(record: Record) -> Trigger:
    _, name, kind, source, language = record
    moment = "instead of" if kind & 64 else "before" if kind & 2 else "after"
    events = [word for bit, word in ((4, "insert"), (8, "delete"), (16, "update"), (32, "truncate")) if kind & bit]
    reads_only = language in {"plpgsql", "sql"} and not re.search(
        r"\b(insert|update|delete|merge|truncate|execute|perform|call|into|notify|setval|nextval)\b|:=|\bnew\b\s*\.\s*\w+\s*=",
        source,
        re.IGNORECASE,
    )
    return Trigger(name, f"{moment} {' or '.join(events)}", not reads_only)
