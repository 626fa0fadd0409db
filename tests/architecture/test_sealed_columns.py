"""Whatever is sealed is declared where its table is: what a rewrap does not know of would be lost with the old key."""

import ast
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import LargeBinary

from privacyops.store import rewrap
from privacyops.store.tables import every
from privacyops.store.tables.base import APPEND_ONLY, metadata
from privacyops.store.tables.sealed import INFO, Sealed, SealedBy

ROOT = Path(__file__).parents[2]
SERVICES = sorted(ROOT.glob("privacyops/services/**/*.py"))
PLACES = {"place", "Place"}
ELSEWHERE = {("vault", "key")}
"""Sealed by the ring and no column: the vault rewraps its own."""
COLUMN_IN_A_VARIABLE = {("store_erasure", "plan_sealed"), ("store_erasure", "results_sealed")}
"""Spelled at the callers of `place_of`."""


def _declared() -> dict[tuple[str, str], Sealed]:
    return {
        (name, column.name): column.info[INFO]
        for name in every.TABLES
        for column in metadata.tables[name].columns
        if INFO in column.info
    }


def _places_of(declared: dict[tuple[str, str], Sealed], *, ring: bool) -> set[tuple[str, str]]:
    return {one.place or name for name, one in declared.items() if not ring or one.by.hangs_on_ring}


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _spelled(call: ast.Call) -> tuple[str, str] | None:
    """Table and column of a place that is written out."""
    if _name(call) not in PLACES or len(call.args) != 4:
        return None
    table, column = call.args[1], call.args[2]
    if isinstance(table, ast.Constant) and isinstance(column, ast.Constant):
        return str(table.value), str(column.value)
    return None


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (one for one in ast.walk(node) if isinstance(one, ast.Call))


def _makers(trees: list[tuple[Path, ast.Module]]) -> dict[str, set[tuple[str, str]]]:
    """Functions that make a place for others, such as `key_place`, and those that ask another one for it."""
    functions = [
        one for _, tree in trees for one in _functions(tree) if getattr(one.returns, "id", "") == "Place"
    ]  # fmt: skip
    makers: dict[str, set[tuple[str, str]]] = {one.name: set() for one in functions}
    for one in functions + functions:
        for call in _calls(one):
            spelled = _spelled(call)
            makers[one.name] |= {spelled} if spelled else makers.get(_name(call), set())
    return makers


def _sealed_by_ring() -> dict[str, set[tuple[str, str]]]:
    """Every function of the services that has the ring seal something, and the places that it seals for."""
    trees = [(path, ast.parse(path.read_text())) for path in SERVICES]
    makers = _makers(trees)
    return {
        f"{path.stem}.{function.name}": _place_of(call.args[-1], function, makers)
        for path, tree in trees
        for function in _functions(tree)
        for call in _calls(function)
        if _name(call) in {"seal", "new_data_key", "made_data_key"} and "keyring" in ast.unparse(call.func)
    }


def _place_of(
    argument: ast.expr, function: ast.FunctionDef, makers: dict[str, set[tuple[str, str]]]
) -> set[tuple[str, str]]:
    """What the last argument of a call of `seal` is, or was assigned."""
    if isinstance(argument, ast.Call):
        spelled = _spelled(argument)
        return {spelled} if spelled else makers.get(_name(argument), set())
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        pairs = zip(target.elts, value.elts, strict=True) if isinstance(target, ast.Tuple) and isinstance(
            value, ast.Tuple
        ) else [(target, value)]  # fmt: skip
        for name, given in pairs:
            if ast.unparse(name) == ast.unparse(argument) and isinstance(given, ast.Call):
                return _place_of(given, function, makers)
    return set()


def test_a_column_with_the_name_of_a_ciphertext_is_declared() -> None:
    named = {
        (name, column.name)
        for name in every.TABLES
        for column in metadata.tables[name].columns
        if column.name.endswith(("sealed", "wrapped"))
    }
    assert named <= set(_declared())


def test_whatever_the_ring_seals_is_declared_to_hang_on_it() -> None:
    found = _sealed_by_ring()
    assert len(found) >= 9, "the search does not see the callers of seal() any more"
    unknown = {where: places for where, places in found.items() if not places}
    assert unknown == {}, "no place is seen here: write it out, or return it from a function of type Place"
    places = set().union(*found.values())
    assert places <= _places_of(_declared(), ring=True) | ELSEWHERE


def test_every_place_that_services_name_is_a_declared_column() -> None:
    spelled = {found for path in SERVICES for call in _calls(ast.parse(path.read_text())) if (found := _spelled(call))}
    assert spelled | COLUMN_IN_A_VARIABLE <= _places_of(_declared(), ring=False)


def test_a_column_that_hangs_on_the_ring_can_be_rewrapped() -> None:
    """Its row is named by one primary key, it belongs to a controller, and no guard forbids the UPDATE."""
    for one in rewrap.ring_columns():
        table = metadata.tables[one.table]
        (key,) = table.primary_key.columns
        assert isinstance(table.c[one.column].type, LargeBinary)
        assert "controller" in table.c or len(key.foreign_keys) == 1, one
        assert one.table not in APPEND_ONLY, one


def test_nothing_sealed_stands_in_a_table_that_only_grows() -> None:
    """Neither the key that opens it could be exchanged there nor the value destroyed: decision 23."""
    assert {name for name, _ in _declared()} & APPEND_ONLY == set()


def test_the_ways_of_sealing_are_all_in_use() -> None:
    assert {one.by for one in _declared().values()} == set(SealedBy)
