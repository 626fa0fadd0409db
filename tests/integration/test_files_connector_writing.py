"""The files connector's writing half: exactly what was planned changes, once; all else keeps its bytes."""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.files import connector
from connectors.files.store import FilesStore
from privacyops.connector_sdk import (
    EVERY_ROW,
    Act,
    Call,
    Cancelled,
    Check,
    Constant,
    Delete,
    Expectation,
    Finding,
    Generalise,
    GeneralKind,
    Hit,
    Keep,
    Leaf,
    Misconfigured,
    Null,
    Op,
    OpId,
    OpResult,
    Outcome,
    Page,
    Plan,
    PredicateOp,
    RandomToken,
    RedactSpan,
    RowRef,
    Set,
    Terminal,
    Tombstone,
    Unlink,
    WriteAct,
)
from privacyops.demo.shop.formats import pdf, xlsx

ANNA = "anna.berg@example.com"


class Keys:
    """A double of the host's secrets that knows the hash key alone."""

    def get(self, field: str) -> SecretStr:
        if field != "hash_key":
            raise Misconfigured(field)
        return SecretStr("a key for tests")


def call(cancelled: Callable[[], bool] = lambda: False) -> Call:
    def nothing(**_: int) -> None:
        return None

    return Call("r1", time.monotonic() + 60, cancelled, nothing, 1, lambda _code, _counts: None)  # type: ignore[arg-type]  # takes keywords


def store_of(folder: Path, *, write: bool = True) -> FilesStore:
    return connector.open({"folder": str(folder), "name": "docs", "write": write}, Keys())


def ref(store: FilesStore, collection: str, field: str, value: object) -> RowRef:
    leaf = Leaf("l", field, PredicateOp.EQ, value)  # type: ignore[arg-type]  # any scalar
    hits = [item for item in store.find(call(), collection, leaf, (), Page(100)) if isinstance(item, Hit)]
    assert len(hits) == 1
    return hits[0].ref


def refs(store: FilesStore, collection: str) -> list[RowRef]:
    return [hit.ref for hit in store.find(call(), collection, EVERY_ROW, (), Page(1000)) if isinstance(hit, Hit)]


def planned(store: FilesStore, acts: Sequence[tuple[RowRef, Act]]) -> Plan:
    return store.plan(call(), [Op(OpId(f"op{at}"), where, act) for at, (where, act) in enumerate(acts)])


def applied(store: FilesStore, plan: Plan, only: Sequence[str] = ()) -> Mapping[str, OpResult]:
    return {str(result.op): result for result in store.apply(call(), plan, [OpId(each) for each in only], "p:1:1")}


def outcomes(store: FilesStore, plan: Plan, only: Sequence[str] = ()) -> list[Outcome]:
    return [result.outcome for result in applied(store, plan, only).values()]


def picture(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


CSV = (
    f'Name;"Mail";Note\r\n"Berg; Anna";{ANNA};"two\r\nlines"\r\n\r\nJörg;joerg@example.org;\r\nBo;bo@example.org;x\r\n'
)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    (tmp_path / "p.csv").write_bytes(CSV.encode("cp1252"))
    (tmp_path / "other.txt").write_text("stays")
    return tmp_path


# --- rows ---------------------------------------------------------------------------------------------------------


def test_a_deleted_row_goes_and_every_other_byte_stays(people: Path) -> None:
    store = store_of(people)
    plan = planned(store, [(ref(store, "p.csv", "Mail", "joerg@example.org"), Delete())])
    assert plan.ops[0].effect == "delete_row"
    assert plan.ops[0].irreversible
    assert outcomes(store, plan) == [Outcome.DONE]
    assert (people / "p.csv").read_bytes() == CSV.replace("\r\nJörg;joerg@example.org;\r\n", "").encode("cp1252")
    assert (people / "other.txt").read_text() == "stays"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
def test_a_rewritten_file_keeps_its_encoding_and_its_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    text = "Name,Mail\nÄnne,a@example.com\nBo,bo@example.org\nÖrn,o@example.net\n"
    (tmp_path / "p.csv").write_bytes((mark + text).encode(encoding))
    store = store_of(tmp_path)
    plan = planned(store, [(ref(store, "p.csv", "Name", "Bo"), Delete())])
    assert outcomes(store, plan) == [Outcome.DONE]
    assert (tmp_path / "p.csv").read_bytes() == (mark + text.replace("Bo,bo@example.org\n", "")).encode(encoding)


def test_bytes_without_a_meaning_survive_a_rewrite(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(b"Name,Mail\n\x81\x8d\xe4,a@example.com\nBo,bo@example.org\n")
    store = store_of(tmp_path)
    assert outcomes(store, planned(store, [(ref(store, "p.csv", "Name", "Bo"), Delete())])) == [Outcome.DONE]
    assert (tmp_path / "p.csv").read_bytes() == b"Name,Mail\n\x81\x8d\xe4,a@example.com\n"


def test_a_json_line_is_deleted_and_cells_of_another_are_set_in_its_own_spelling(tmp_path: Path) -> None:
    lines = [
        '{"id":1,"mail":"a@example.com","n":{"x":1.50}}',
        '{"id": 2, "mail": "Ä", "n": null}',
        '{"id":3,"mail":"c"}',
    ]
    (tmp_path / "e.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    store = store_of(tmp_path)
    plan = planned(
        store,
        [
            (ref(store, "e.jsonl", "id", 3), Delete()),
            (ref(store, "e.jsonl", "id", 2), Set({"mail": Constant("gone ü")})),
        ],
    )
    assert outcomes(store, plan) == [Outcome.DONE, Outcome.DONE]
    expected = [lines[0], '{"id": 2, "mail": "gone ü", "n": null}']
    assert (tmp_path / "e.jsonl").read_text(encoding="utf-8") == "\n".join(expected) + "\n"


def test_a_json_line_in_a_spelling_of_its_own_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").write_text('{ "id":1,  "mail":"a" }\n')
    store = store_of(tmp_path)
    plan = planned(store, [(ref(store, "e.jsonl", "id", 1), Set({"mail": Null()}))])
    assert [(blocker.code, blocker.remedy) for blocker in plan.blockers] == [("spelling", "delete")]
    assert outcomes(store, plan) == [Outcome.BLOCKED]


@pytest.mark.parametrize(
    ("act", "cell"),
    [
        (Set({"born": Null()}), ""),
        (Set({"born": Constant("x;y")}), '"x;y"'),
        (Set({"born": Generalise(GeneralKind.BIRTH_YEAR)}), "1980-01-01"),
        (Unlink("born", "0"), "0"),
        (RedactSpan("born", ((0, 4),)), "****-05-17"),
    ],
)
def test_a_cell_is_changed_and_its_neighbours_are_not(tmp_path: Path, act: Act, cell: str) -> None:
    (tmp_path / "p.csv").write_text("id;born;note\n1;1980-05-17;a\n2;1990-01-02;b\n")
    store = store_of(tmp_path)
    plan = planned(store, [(ref(store, "p.csv", "id", "1"), act)])
    result = applied(store, plan)["op0"]
    assert (result.outcome, result.fields) == (Outcome.DONE, ("born",))
    assert (tmp_path / "p.csv").read_text() == f"id;born;note\n1;{cell};a\n2;1990-01-02;b\n"
    assert outcomes(store, plan) == [Outcome.ALREADY]


def test_two_persons_get_two_tokens(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,mail\n1,a@example.com\n2,b@example.com\n")
    store = store_of(tmp_path)
    token = Set({"mail": RandomToken("erased-{r}@invalid.example")})
    plan = planned(store, [(each, token) for each in refs(store, "p.csv")])
    assert outcomes(store, plan) == [Outcome.DONE, Outcome.DONE]
    cells = {line.partition(",")[2] for line in (tmp_path / "p.csv").read_text().splitlines()[1:]}
    assert len(cells) == 2
    assert all(cell.startswith("erased-") and cell.endswith("@invalid.example") for cell in cells)
    after = picture(tmp_path)
    assert outcomes(store, plan) == [Outcome.ALREADY, Outcome.ALREADY]
    assert picture(tmp_path) == after


def test_a_kept_row_loses_what_is_cut_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("no,total,mail\nR1,10,a@example.com\n")
    store = store_of(tmp_path)
    plan = planned(store, [(refs(store, "p.csv")[0], Keep("LEGAL_OBLIGATION", None, {"mail": Null()}))])
    assert outcomes(store, plan) == [Outcome.KEPT]
    assert (tmp_path / "p.csv").read_text() == "no,total,mail\nR1,10,\n"
    assert outcomes(store, plan) == [Outcome.KEPT]


def test_doing_it_again_finds_everything_already_done_and_changes_nothing(people: Path) -> None:
    store = store_of(people)
    plan = planned(store, [(each, Delete()) for each in refs(store, "p.csv")[:2]])
    assert outcomes(store, plan) == [Outcome.DONE, Outcome.DONE]
    after, stamp = picture(people), (people / "p.csv").stat().st_mtime_ns
    assert outcomes(store_of(people), plan) == [Outcome.ALREADY, Outcome.ALREADY]
    assert picture(people) == after
    assert (people / "p.csv").stat().st_mtime_ns == stamp


def test_a_deletion_beside_a_changed_row_is_already_done_the_second_time(people: Path) -> None:
    store = store_of(people)
    first, second, _ = refs(store, "p.csv")
    plan = planned(store, [(first, Delete()), (second, Set({"Note": Constant("cut")}))])
    assert outcomes(store, plan) == [Outcome.DONE, Outcome.DONE]
    assert outcomes(store, plan) == [Outcome.ALREADY, Outcome.ALREADY]


@pytest.mark.parametrize("act", [Delete(), Set({"Note": Constant("cut")})])
def test_a_row_that_somebody_changed_since_the_plan_is_a_conflict_and_stays(people: Path, act: Act) -> None:
    store = store_of(people)
    plan = planned(store, [(ref(store, "p.csv", "Name", "Bo"), act)])
    edited = (people / "p.csv").read_bytes().replace(b"bo@example.org", b"bo.new@example.org")
    (people / "p.csv").write_bytes(edited)
    result = applied(store, plan)["op0"]
    assert (result.outcome, result.code) == (Outcome.CONFLICT, "row_changed")
    assert (people / "p.csv").read_bytes() == edited


def test_a_row_is_found_again_when_rows_before_it_came_and_went(people: Path) -> None:
    store = store_of(people)
    plan = planned(store, [(ref(store, "p.csv", "Name", "Bo"), Delete())])
    changed = CSV.replace("Jörg;joerg@example.org;\r\n", "New;n@example.net;\r\nOther;o@example.net;\r\n")
    (people / "p.csv").write_bytes(changed.encode("cp1252"))
    assert outcomes(store, plan) == [Outcome.DONE]
    assert (people / "p.csv").read_bytes() == changed.replace("Bo;bo@example.org;x\r\n", "").encode("cp1252")


def test_of_three_equal_rows_as_many_go_as_are_planned_in_whatever_pages(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,mail\n1,a\n1,a\n2,b\n1,a\n")
    store = store_of(tmp_path)
    twins = [each for each in refs(store, "p.csv") if each.key["_row"] != 3]
    plan = planned(store, [(twins[0], Delete()), (twins[1], Delete())])
    assert outcomes(store, plan, ["op0"]) == [Outcome.DONE]
    assert outcomes(store, plan, ["op0"]) == [Outcome.ALREADY]
    assert outcomes(store, plan, ["op1"]) == [Outcome.DONE]
    assert outcomes(store, plan) == [Outcome.ALREADY, Outcome.ALREADY]
    assert sorted((tmp_path / "p.csv").read_text().splitlines()) == ["1,a", "2,b", "id,mail"]


def test_two_operations_on_one_row_are_refused_when_planned(people: Path) -> None:
    store = store_of(people)
    row = ref(store, "p.csv", "Name", "Bo")
    plan = planned(store, [(row, Set({"Note": Null()})), (row, Delete())])
    assert {blocker.code for blocker in plan.blockers} == {"row_named_twice"}


def test_planning_writes_nothing_and_gives_the_same_hash_twice(people: Path) -> None:
    store = store_of(people, write=False)
    before = picture(people)
    acts = [(each, Delete()) for each in refs(store, "p.csv")]
    assert planned(store, acts).hash == planned(store_of(people), acts).hash
    assert picture(people) == before


def test_a_plan_that_was_altered_or_is_too_old_is_not_applied(people: Path) -> None:
    store = store_of(people)
    plan = planned(store, [(refs(store, "p.csv")[0], Delete())])
    before = picture(people)
    forged = replace(plan.ops[0], op=replace(plan.ops[0].op, ref=refs(store, "p.csv")[1]))
    with pytest.raises(Terminal, match="plan_altered"):
        applied(store, replace(plan, ops=(forged,)))
    with pytest.raises(Terminal, match="plan_expired"):
        applied(store, replace(plan, expires_at=plan.made_at))
    assert picture(people) == before


def test_the_reading_role_refuses_to_apply_and_declares_no_writes(people: Path) -> None:
    store = store_of(people, write=False)
    plan = planned(store, [(refs(store, "p.csv")[0], Delete())])
    assert store.capabilities(call()).writes == frozenset()
    with pytest.raises(Terminal, match="unsupported"):
        applied(store, plan)
    assert WriteAct.DELETE in store_of(people).capabilities(call()).writes


def test_no_value_stands_in_a_plan_or_a_result(people: Path) -> None:
    store = store_of(people)
    plan = planned(store, [(each, Set({"Note": Null()})) for each in refs(store, "p.csv")])
    shown = repr([(op.text, op.effect, op.before) for op in plan.ops]) + repr(applied(store, plan)) + plan.hash
    assert not any(word in shown for word in (ANNA, "Berg", "joerg", "bo@"))


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.json", b'[{"id": 1}]', "format"),
        ("b.xlsx", xlsx({"S": [["id", "x"], ["a", "b"]]}), "format"),
    ],
)
def test_tables_that_are_not_rewritten_say_so_when_planned(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(data)
    store = store_of(tmp_path)
    collection = name if name.endswith("json") else f"{name}#S"
    plan = planned(store, [(refs(store, collection)[0], Delete())])
    assert [(blocker.code, blocker.remedy) for blocker in plan.blockers] == [(code, "task")]
    assert outcomes(store, plan) == [Outcome.BLOCKED]


def test_acts_that_files_do_not_take_are_blocked_and_the_others_are_done(people: Path) -> None:
    store = store_of(people)
    one, two, three = refs(store, "p.csv")
    plan = planned(store, [(one, Tombstone()), (two, Set({"Nothing": Null()})), (three, Delete())])
    assert [blocker.code for blocker in plan.blockers] == ["unsupported", "unknown_field"]
    assert applied(store, plan)["op2"].outcome is Outcome.DONE


# --- documents and mail -------------------------------------------------------------------------------------------


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.pdf").write_bytes(pdf("t", "a", ["Dear Anna"]))
    (tmp_path / "letters" / "b.pdf").write_bytes(pdf("t", "a", ["Dear Bo"]))
    (tmp_path / "m.eml").write_bytes(b"From: a@example.com\n\nhello\n")
    (tmp_path / "n.txt").write_bytes("Änne rang.\r\nHer number: +49 30 23125 123\r\n".encode("cp1252"))
    (tmp_path / "x.html").write_text("<p>Anna</p>")
    return tmp_path


def paper(path: str, collection: str = "documents") -> RowRef:
    key: dict[str, str | int] = {"path": path} if collection == "documents" else {"path": path, "number": 1}
    return RowRef("docs", collection, key)


def test_a_document_and_a_mail_are_deleted_as_whole_files(papers: Path) -> None:
    store = store_of(papers)
    plan = planned(store, [(paper("letters/a.pdf"), Delete()), (paper("m.eml", "mail"), Delete())])
    assert outcomes(store, plan) == [Outcome.DONE, Outcome.DONE]
    assert set(picture(papers)) == {"letters/b.pdf", "n.txt", "x.html"}
    assert outcomes(store, plan) == [Outcome.ALREADY, Outcome.ALREADY]


def test_a_document_that_changed_since_the_plan_stays(papers: Path) -> None:
    store = store_of(papers)
    plan = planned(store, [(paper("letters/a.pdf"), Delete())])
    (papers / "letters" / "a.pdf").write_bytes(pdf("t", "a", ["Another letter"]))
    result = applied(store, plan)["op0"]
    assert (result.outcome, result.code) == (Outcome.CONFLICT, "row_changed")
    assert (papers / "letters" / "a.pdf").exists()


def test_a_span_of_a_text_file_is_blacked_out_and_the_rest_stays_byte_for_byte(papers: Path) -> None:
    store = store_of(papers)
    [hit] = [
        item
        for item in store.find(call(), "documents", Leaf("l", "name", PredicateOp.EQ, "n.txt"), ("text",), Page(5))
        if isinstance(item, Hit)
    ]
    text = str(hit.values["text"])
    start = text.index("+49")
    act = RedactSpan("text", ((0, 4), (start, start + 16)))
    plan = planned(store, [(hit.ref, act)])
    before = (papers / "n.txt").read_bytes()
    assert outcomes(store, plan) == [Outcome.DONE]
    assert (papers / "n.txt").read_bytes() == b"****" + before[4:start] + b"*" * 16 + before[start + 16 :]
    assert outcomes(store, plan) == [Outcome.ALREADY]


@pytest.mark.parametrize(
    ("path", "act", "code"),
    [
        ("x.html", RedactSpan("text", ((0, 2),)), "format"),
        ("letters/a.pdf", RedactSpan("text", ((0, 2),)), "format"),
        ("n.txt", RedactSpan("text", ((0, 4000),)), "span"),
        ("n.txt", RedactSpan("title", ((0, 2),)), "unknown_field"),
        ("n.txt", Set({"text": Null()}), "format"),
        ("../n.txt", Delete(), "leads_outside"),
    ],
)
def test_what_cannot_be_redacted_is_blocked_with_a_reason(papers: Path, path: str, act: Act, code: str) -> None:
    store = store_of(papers)
    before = picture(papers)
    plan = planned(store, [(paper(path), act)])
    assert [blocker.code for blocker in plan.blockers] == [code]
    assert outcomes(store, plan) == [Outcome.BLOCKED]
    assert picture(papers) == before


def test_what_is_kept_as_it_is_needs_nothing_that_a_file_cannot_do(papers: Path) -> None:
    (papers / "b.xlsx").write_bytes(xlsx({"S": [["id", "x"], ["a", "b"]]}))
    (papers / "old.mbox").write_bytes(b"From a\nSubject: x\n\nhi\n\nFrom b\nSubject: y\n\nho\n")
    store, before = store_of(papers), picture(papers)
    kept = [paper("letters/a.pdf"), paper("m.eml", "mail"), refs(store, "b.xlsx#S")[0], *refs(store, "mail")]
    plan = planned(store, [(each, Keep("THIRD_PARTY_RIGHTS", None, {})) for each in kept])
    assert plan.blockers == ()
    assert outcomes(store, plan) == [Outcome.KEPT] * len(kept)
    assert picture(papers) == before


def test_a_message_among_others_in_one_file_is_left_to_a_person(tmp_path: Path) -> None:
    (tmp_path / "old.mbox").write_bytes(b"From a\nSubject: x\n\nhi\n\nFrom b\nSubject: y\n\nho\n")
    store = store_of(tmp_path)
    plan = planned(store, [(each, Delete()) for each in refs(store, "mail")])
    assert [(blocker.code, blocker.remedy) for blocker in plan.blockers] == [("many_in_one_file", "task")] * 2


def test_a_link_that_is_put_in_the_place_of_a_file_is_never_followed(
    papers: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "a.pdf").write_bytes((papers / "letters" / "a.pdf").read_bytes())
    store = store_of(papers)
    plan = planned(store, [(paper("letters/a.pdf"), Delete())])
    (papers / "letters").rename(papers / "moved")
    (papers / "letters").symlink_to(outside)
    assert outcomes(store, plan) == [Outcome.FAILED]
    assert (outside / "a.pdf").exists()


# --- faults -------------------------------------------------------------------------------------------------------


def test_a_worker_whose_epoch_is_old_writes_nothing(people: Path) -> None:
    store = store_of(people)
    plan = planned(store, [(refs(store, "p.csv")[0], Delete())])
    before = picture(people)
    asked = iter([False] * 3)
    with pytest.raises(Cancelled):
        list(store.apply(call(lambda: next(asked, True)), plan, (), "p:1:1"))
    assert picture(people) == before


def test_a_full_disk_leaves_the_old_file_and_is_tried_again(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    store = store_of(people)
    plan = planned(store, [(refs(store, "p.csv")[0], Delete())])
    before = picture(people)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        result = applied(store, plan)["op0"]
    assert (result.outcome, result.code) == (Outcome.RETRIABLE, "no_space")
    assert picture(people) == before
    assert outcomes(store, plan) == [Outcome.DONE]


def test_a_file_that_changes_while_it_is_rewritten_is_not_exchanged(
    people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(people)
    plan = planned(store, [(refs(store, "p.csv")[0], Delete())])
    honest = os.fsync

    def meanwhile(descriptor: int) -> None:
        with (people / "p.csv").open("ab") as file:
            file.write(b"New;new@example.com;\r\n")
        honest(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", meanwhile)
        result = applied(store, plan)["op0"]
    assert (result.outcome, result.code) == (Outcome.RETRIABLE, "file_changed")
    assert (people / "p.csv").read_bytes() == CSV.encode("cp1252") + b"New;new@example.com;\r\n"
    assert set(picture(people)) == {"p.csv", "other.txt"}


_KILLED = """
import os, sys, time, pickle
from pathlib import Path
from pydantic import SecretStr
from connectors.files import connector
from privacyops.connector_sdk import Call
point, folder = sys.argv[1], sys.argv[2]
class Keys:
    def get(self, field): return SecretStr("a key for tests")
plan = pickle.loads(Path(folder + ".plan").read_bytes())
store = connector.open({"folder": folder, "name": "docs", "write": True}, Keys())
honest = getattr(os, point)
def die(*a, **k):
    if sys.argv[3] == "after": honest(*a, **k)
    os._exit(9)
setattr(os, point, die)
list(store.apply(Call("r", time.monotonic() + 60, bool, lambda **k: None, 1, lambda c, n: None), plan, (), "k"))
"""


@pytest.mark.fault
@pytest.mark.parametrize(
    ("point", "when"), [("fsync", "before"), ("fsync", "after"), ("replace", "before"), ("replace", "after")]
)
def test_a_process_killed_at_any_step_leaves_a_whole_file_and_the_repeat_ends_well(
    people: Path, point: str, when: str
) -> None:

    store = store_of(people)
    plan = planned(store, [(each, Delete()) for each in refs(store, "p.csv")[:2]])
    Path(f"{people}.plan").write_bytes(pickle.dumps(plan))
    killed = subprocess.run([sys.executable, "-c", _KILLED, point, str(people), when], check=False, timeout=60)
    assert killed.returncode == 9
    done = b'Name;"Mail";Note\r\nBo;bo@example.org;x\r\n'
    assert (people / "p.csv").read_bytes() in {CSV.encode("cp1252"), done}
    assert set(outcomes(store, plan)) <= {Outcome.DONE, Outcome.ALREADY}
    assert (people / "p.csv").read_bytes() == done
    assert [path.name for path in people.iterdir() if path.name.startswith(".privacyops")] == []


# --- reading back -------------------------------------------------------------------------------------------------


def checks(plan: Plan) -> list[Check]:
    return [
        Check(
            each.op.ref,
            Expectation.GONE if isinstance(each.op.act, Delete) else Expectation.CHANGED,
            before=each.before,
        )
        for each in plan.ops
    ]


def test_what_was_deleted_is_gone_and_what_was_changed_has_changed(people: Path) -> None:
    store = store_of(people)
    first, second, _ = refs(store, "p.csv")
    plan = planned(store, [(first, Delete()), (second, Set({"Note": Constant("cut")}))])
    assert [verdict.outcome for verdict in store.verify(call(), checks(plan))] == [Finding.STILL_THERE] * 2
    applied(store, plan)
    assert [verdict.outcome for verdict in store.verify(call(), checks(plan))] == [Finding.GONE, Finding.CHANGED]


def test_a_row_that_an_import_brought_back_is_still_there(people: Path) -> None:
    store = store_of(people)
    plan = planned(store, [(refs(store, "p.csv")[0], Delete())])
    applied(store, plan)
    with (people / "p.csv").open("ab") as file:
        file.write(f'"Berg; Anna";{ANNA};"two\r\nlines"\r\n'.encode("cp1252"))
    assert [verdict.outcome for verdict in store.verify(call(), checks(plan))] == [Finding.STILL_THERE]


def test_files_are_read_back_too(papers: Path) -> None:
    store = store_of(papers)
    plan = planned(store, [(paper("letters/a.pdf"), Delete()), (paper("n.txt"), RedactSpan("text", ((0, 4),)))])
    assert [verdict.outcome for verdict in store.verify(call(), checks(plan))] == [Finding.STILL_THERE] * 2
    applied(store, plan)
    assert [verdict.outcome for verdict in store.verify(call(), checks(plan))] == [Finding.GONE, Finding.CHANGED]


def test_of_equal_rows_those_that_stay_do_not_count_as_left_over(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,mail\n1,a\n1,a\n2,b\n")
    store = store_of(tmp_path)
    plan = planned(store, [(refs(store, "p.csv")[0], Delete())])
    applied(store, plan)
    assert [verdict.outcome for verdict in store.verify(call(), checks(plan))] == [Finding.GONE]


def test_the_mode_of_a_rewritten_file_stays(people: Path) -> None:
    (people / "p.csv").chmod(0o640)
    store = store_of(people)
    applied(store, planned(store, [(refs(store, "p.csv")[0], Delete())]))
    assert (people / "p.csv").stat().st_mode & 0o777 == 0o640
