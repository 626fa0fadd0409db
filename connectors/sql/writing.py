"""The whole store: the reading half, and plan, apply and verify beside it."""

from collections.abc import Iterator, Sequence

from connectors.sql.applying import Applying
from connectors.sql.fingerprints import hash_key
from connectors.sql.planning import Planning
from connectors.sql.session import Session
from connectors.sql.speeches import speech_of
from connectors.sql.store import ReadingStore
from connectors.sql.verifying import read_back
from privacyops.connector_sdk import Call, Check, Op, OpId, OpResult, Plan, Terminal, Verdict


class SqlStore(ReadingStore):
    """One database. A store opened with the reading role plans and verifies too, and refuses to apply."""

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        key = hash_key(self._secrets, call)
        speech = self._speech(call)
        return Planning(self._session, speech, self._load(call), self._settings.name, key).plan(call, ops)

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        del key  # the rows themselves tell what was done; there is no ledger of ours in the shop's database
        if not self._settings.write:
            raise Terminal("unsupported")
        hashing = hash_key(self._secrets, call)
        speech = self._speech(call)
        applying = Applying(self._session, speech, self._tables(call), self._settings.name, hashing)
        yield from applying.apply(call, plan, only)

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        fresh = Session(self._address, self._settings, writes=False)
        try:
            speech = speech_of(self._address.brand, fresh.server(call))
            key = hash_key(self._secrets, call)
            yield from read_back(call, fresh, speech, self._load_with(call, fresh), self._settings.name, key, checks)
        finally:
            fresh.close()
