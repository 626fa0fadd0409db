"""A relational database as a store of the SDK: the reading half."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import BinaryIO, Final

import sqlalchemy as sa

from connectors.sql.address import Brand, read_address
from connectors.sql.blobs import open_cell
from connectors.sql.greeting import Server
from connectors.sql.health import look
from connectors.sql.reading import Reader, batches, by_refs
from connectors.sql.sampling import sample_rows
from connectors.sql.scanning import Scan
from connectors.sql.schema import Run, Schema, Table
from connectors.sql.schema_mssql import load_mssql
from connectors.sql.schema_mysql import load_mysql
from connectors.sql.schema_oracle import load_oracle
from connectors.sql.schema_postgresql import load_postgresql, schemas_with_tables
from connectors.sql.schema_sqlite import load_sqlite
from connectors.sql.schemas import merged
from connectors.sql.session import Session
from connectors.sql.settings import Settings
from connectors.sql.slices import Paces
from connectors.sql.speech import Speech
from connectors.sql.speeches import speech_of
from privacyops.connector_sdk import (
    BlobRef,
    Call,
    Capabilities,
    Collection,
    ConditionalWrite,
    Count,
    Cursor,
    Health,
    Hit,
    Mark,
    Misconfigured,
    Page,
    Predicate,
    PredicateOp,
    Rate,
    Row,
    RowRef,
    Sampling,
    Secrets,
    StoreRefusal,
    Terminal,
    TextSearch,
    TransactionScope,
    WriteAct,
)
from privacyops.connector_sdk.records import canonical

BULK: Final = 5000
FETCH_AT_ONCE: Final = 200
NAMED: Final = 20
"""Schemas that are named where the one that is searched holds nothing."""
SCHEMA_SECONDS: Final = 300.0
"""How long the loaded catalogue serves to quote identifiers; `catalogue` loads it anew."""


class ReadingStore:
    """One database. `statements` counts every statement sent, for `bench` and for budgets (`call.spend`)."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets
        self._address = read_address(settings, secrets)
        self._session = Session(self._address, settings, writes=settings.write)
        self._schema: Schema | None = None
        self._loaded_at = 0.0
        self._paces = Paces(settings.statement_timeout)

    @property
    def statements(self) -> int:
        return self._session.statements

    # --- reading --------------------------------------------------------------------------------------------

    def capabilities(self, call: Call) -> Capabilities:
        server = self._session.server(call)
        may_write = self._settings.write and not server.is_replica
        may_write = may_write and any(table.rights & {"update", "delete"} for table in self._tables(call).values())
        acts = set(WriteAct) - {WriteAct.TOMBSTONE}
        return Capabilities(
            predicates=frozenset(PredicateOp),
            text_search=TextSearch.SCAN,
            declared_links=True,
            transactions=TransactionScope.STORE,
            writes=frozenset(acts) if may_write else frozenset(),
            conditional_write=ConditionalWrite.BEFORE_IMAGE if may_write else ConditionalWrite.NONE,
            bulk=BULK,
            replica=server.is_replica,
            read_after=timedelta(0),
            max_page=5000,
            max_in=speech_of(self._address.brand, server).max_in,
            rate=Rate(per_second=200, burst=200, concurrency=1 if self._address.brand is Brand.SQLITE else 2),
            sampling=frozenset(Sampling),
        )

    def health(self, call: Call) -> Health:
        began = time.monotonic()
        server = self._session.server(call)
        self._session.run(call, sa.select(sa.literal_column("1")))
        latency = timedelta(seconds=time.monotonic() - began)
        return look(self._session, call, server, self._tables(call), latency, wants_write=self._settings.write)

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        tables = self._load(call)
        done = 0
        for name in sorted(tables):
            if after is not None and name <= str(after):
                continue
            call.check()
            done += 1
            yield tables[name].collection
            yield Mark(Cursor(name), done, Count(len(tables)))

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        table, speech = self._table(call, collection), self._speech(call)
        reader = Reader(self._session, speech, table, self._settings.name, self._known(table, fields))
        for read in sample_rows(call, reader, n, how):
            call.spend(rows=1, bytes=read.bytes)
            yield Row(reader.ref(read.values), {path: read.values[path] for path in fields or table.fields})

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        return self._scan(call, collection, where, ()).count(call)

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        return self._scan(call, collection, where, fields).find(call, page)

    def fetch(self, call: Call, refs: Sequence[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        by_collection: dict[str, list[RowRef]] = {}
        for ref in refs:
            by_collection.setdefault(ref.collection, []).append(ref)
        for collection, wanted in by_collection.items():
            table, speech = self._table(call, collection), self._speech(call)
            reader = Reader(self._session, speech, table, self._settings.name, self._known(table, fields))
            for batch in batches(wanted, speech.refs_at_once(table, FETCH_AT_ONCE)):
                yield from self._fetch(call, reader, list(batch), fields)

    def open_blob(self, call: Call, blob: BlobRef) -> AbstractContextManager[BinaryIO]:
        table, speech = self._table(call, blob.ref.collection), self._speech(call)
        return open_cell(self._session, speech, table, call, blob)

    def close(self) -> None:
        self._session.close()

    # --- inside ---------------------------------------------------------------------------------------------

    def _scan(self, call: Call, collection: str, where: Predicate, fields: Sequence[str]) -> Scan:
        table = self._table(call, collection)
        pace = self._paces.of(table)
        return Scan(self._session, self._speech(call), table, self._settings.name, where, fields, pace)

    def _fetch(self, call: Call, reader: Reader, refs: list[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        seen: set[str] = set()
        while refs:
            answer = reader.read(call, by_refs(reader.speech, reader.table, refs), BULK, order=())
            for read in answer.rows:
                ref = reader.ref(read.values)
                name = canonical(ref.key)
                if name not in seen:
                    seen.add(name)
                    call.spend(rows=1, bytes=read.bytes)
                    yield Row(ref, {path: read.values[path] for path in fields or reader.table.fields})
            if answer.complete:
                return
            refs = [ref for ref in refs if canonical(ref.key) not in seen]

    def _speech(self, call: Call) -> Speech:
        return speech_of(self._address.brand, self._session.server(call))

    def _known(self, table: Table, fields: Sequence[str]) -> Sequence[str]:
        for path in fields:
            if path not in table.fields:
                raise Terminal("unknown_field")
        return fields or tuple(table.fields)

    def _table(self, call: Call, collection: str) -> Table:
        table = self._tables(call).get(collection)
        if table is None:
            table = self._load(call).get(collection)
        if table is None:
            raise Terminal("unknown_collection")
        return table

    def _tables(self, call: Call) -> Schema:
        if self._schema is None or time.monotonic() - self._loaded_at > SCHEMA_SECONDS:
            return self._load(call)
        return self._schema

    def _load(self, call: Call) -> Schema:
        self._schema = self._load_with(call, self._session)
        self._loaded_at = time.monotonic()
        return self._schema

    def _load_with(self, call: Call, session: Session) -> Schema:
        server = session.server(call)
        wanted = self._settings.schemas or (self._settings.schema or server.schema,)

        def run(text: str, values: object) -> list[tuple[object, ...]]:
            return session.run(call, sa.text(text), values)  # type: ignore[arg-type]  # a mapping, as Run says

        try:
            if self._address.brand is Brand.SQLITE:
                return load_sqlite(run)
            loaded = {schema: self._load_schema(run, schema, server) for schema in wanted}
            if not any(loaded.values()):
                self._require_tables_here(run)
        except StoreRefusal:
            session.drop()
            raise
        if (self._settings.schema or self._settings.schemas) and not all(loaded.values()):
            raise Misconfigured("schemas" if self._settings.schemas else "schema", "schema_missing")
        return merged(loaded)

    def _require_tables_here(self, run: Run) -> None:
        """Raises: Misconfigured: what is searched holds no table, and other schemas of the database do."""
        elsewhere = schemas_with_tables(run) if self._address.brand is Brand.POSTGRESQL else ()
        if elsewhere:
            raise Misconfigured("schemas", "tables_elsewhere", ", ".join(elsewhere[:NAMED]))

    def _load_schema(self, run: Run, schema: str, server: Server) -> Schema:
        if self._address.brand is Brand.POSTGRESQL:
            return load_postgresql(run, schema)
        if self._address.brand is Brand.MYSQL:
            return load_mysql(run, schema, is_mariadb=server.product == "MariaDB")
        return load_mssql(run, schema) if self._address.brand is Brand.MSSQL else load_oracle(run, schema)
