"""Checks 1 to 5: the connector as a plug-in."""

import json
import os
import subprocess
import sys
import time

from privacyops.connector_sdk import (
    API_VERSION,
    Act,
    Delete,
    Leaf,
    Misconfigured,
    Page,
    PredicateOp,
    RedactSpan,
    Right,
    Sampling,
    StoreRefusal,
    Terminal,
    Tombstone,
    WriteAct,
)
from privacyops.connector_sdk.testing.bench import (
    Bench,
    GivenSecrets,
    Spy,
    op_on,
)
from privacyops.connector_sdk.testing.seed import PERSON

SEVERAL = frozenset({PredicateOp.IN, PredicateOp.IN_CI, PredicateOp.BETWEEN})
"""Operators whose value is a tuple."""


class PluginChecks:
    """1 to 5."""

    def test_01_the_spec_is_valid_and_no_secret_shows(self, bench: Bench) -> None:
        spec = bench.connector().spec()
        assert spec.name
        assert spec.api[0] == API_VERSION[0]
        assert spec.api <= API_VERSION
        json.dumps(spec.config_schema)
        assert spec.config_schema.get("additionalProperties") is False
        try:
            bench.connector().open({**bench.config(), "no_such_setting": 1}, GivenSecrets(bench.secrets()))
        except Misconfigured as refusal:
            assert refusal.setting == "no_such_setting"
        else:
            raise AssertionError("an unknown setting was accepted")
        store = bench.open()
        shown = f"{store!r} {vars(store) if hasattr(store, '__dict__') else ''} {spec!r}"
        for secret in bench.secrets().values():
            assert secret not in shown
        store.close()

    def test_02_importing_the_entry_point_imports_no_driver_and_opens_no_socket(self, bench: Bench) -> None:
        module, _, name = bench.entry.partition(":")
        script = (
            "import sys, socket\n"
            "def refuse(*a, **k): raise SystemExit('a socket was opened')\n"
            "socket.socket.connect = refuse\n"
            f"import {module} as m\n"
            f"m.{name}.spec()\n"
            f"loaded = sorted({sorted(bench.drivers)!r} & sys.modules.keys())\n"
            "raise SystemExit(' '.join(loaded) or 0)\n"
        )
        found = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # pytest knows more than a child
        done = subprocess.run(
            [sys.executable, "-c", script], env=found, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr

    def test_03_a_store_that_is_down_or_refuses_us_raises_the_right_class_in_time(self, bench: Bench) -> None:
        for broken in bench.broken():
            began = time.monotonic()
            try:
                store = bench.connector().open(broken.config, GivenSecrets(broken.secrets))
                try:
                    store.health(Spy(seconds=broken.seconds).call())
                finally:
                    store.close()
            except StoreRefusal as refusal:
                assert isinstance(refusal, broken.refusal), f"{broken.label}: {refusal!r}"
                if isinstance(refusal, Misconfigured):
                    assert refusal.setting == broken.setting, broken.label
                for secret in broken.secrets.values():
                    assert secret not in f"{refusal!r} {refusal}", broken.label
            else:
                raise AssertionError(f"{broken.label}: no refusal")
            assert time.monotonic() - began < broken.seconds + 2, broken.label

    def test_04_declared_operations_work_and_others_are_refused(self, bench: Bench) -> None:
        store, name = bench.open(), bench.name_of(PERSON)
        capabilities = store.capabilities(Spy().call())
        for op in PredicateOp:
            leaf = Leaf("x", "name", op, ("a", "b") if op in SEVERAL else "Anna")
            try:
                list(store.find(Spy().call(), name, leaf, (), Page(5)))
            except Terminal as refusal:
                assert op not in capabilities.predicates, f"{op} is declared and refused: {refusal.code}"
                assert refusal.code == "unsupported"
            else:
                assert op in capabilities.predicates, f"{op} works and is not declared"
        for how in Sampling:
            try:
                list(store.sample(Spy().call(), name, (), 2, how))
            except Terminal as refusal:
                assert how not in capabilities.sampling
                assert refusal.code == "unsupported"
        assert capabilities.max_page > 0
        assert capabilities.max_in > 0
        store.close()
        self._undeclared_writes_are_refused(bench)

    def _undeclared_writes_are_refused(self, bench: Bench) -> None:
        writing = bench.open_writing()
        if writing is None:
            return
        declared = writing.capabilities(Spy().call()).writes
        acts: dict[WriteAct, Act] = {
            WriteAct.DELETE: Delete(),
            WriteAct.TOMBSTONE: Tombstone(),
            WriteAct.REDACT_SPAN: RedactSpan("note", ((0, 1),)),
        }
        for kind, act in acts.items():
            if kind in declared:
                continue
            before = bench.snapshot()
            try:
                plan = writing.plan(Spy().call(), [op_on(bench, writing, PERSON, 102, act)])
                assert plan.blockers, f"{kind} is not declared and was planned"
            except Terminal as refusal:
                assert refusal.code == "unsupported"
            assert bench.snapshot() == before
        writing.close()

    def test_05_health_tells_reading_from_writing_rights(self, bench: Bench) -> None:
        store = bench.open()
        health = store.health(Spy().call())
        assert Right.READ in health.rights
        assert health.product
        assert health.latency.total_seconds() >= 0
        store.close()
        writing = bench.open_writing()
        if writing is not None:
            can_write = bool(writing.capabilities(Spy().call()).writes)
            assert (Right.WRITE in writing.health(Spy().call()).rights) == can_write
            writing.close()
