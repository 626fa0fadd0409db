"""The short cut past a JSON document never answers other than reading it does."""

import json
import sqlite3
from contextlib import closing
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from connectors.sql.functions import register
from privacyops.connector_sdk import Leaf, PredicateOp, matches

WORDS = st.sampled_from(
    ["mia@example.com", "MIA@Example.com", "\u03a3\u03b1\u03c2", "\u03c3\u03b1\u03c3", "true",
     "nan", "NaN", "1e2", "100", "a\\b", 'a"b', "\u0130", "[1]", "{}", "", " x ", "m\u00fcller"]
)  # fmt: skip
SCALARS = WORDS | st.integers() | st.floats() | st.booleans() | st.none() | st.text(max_size=5)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner), max_leaves=6
)


@given(document=DOCUMENTS, wanted=SCALARS, plain=st.booleans(), path=st.sampled_from(["$.a", "$.a.b", "$[*]", "$[0]"]))
@example(document={"a": "m\u00fcller"}, wanted="M\u00dcLLER", plain=False, path="$.a")
@example(document={"a": float("nan")}, wanted="nan", plain=True, path="$.a")
@example(document={"a": [1]}, wanted="[1]", plain=True, path="$.a")
def test_a_document_is_judged_as_by_the_reference(document: Any, wanted: Any, plain: bool, path: str) -> None:
    text = json.dumps(document, ensure_ascii=not plain)
    op = PredicateOp.JSON_EQ
    with closing(sqlite3.connect(":memory:")) as connection:
        register(connection)
        query = "SELECT privacyops_document(?, ?, ?, ?)"
        [(told,)] = connection.execute(query, (text, op.value, path, json.dumps(wanted)))
    assert bool(told) == matches(Leaf("", "_" + path, op, json.loads(json.dumps(wanted))), {"_": text})
