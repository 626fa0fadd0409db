"""Links that no constraint declares, among small numbers: what is followed, what is a question, what is nothing."""

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from privacyops.domain.datamap.advice import unread, untied
from privacyops.domain.datamap.annotate import annotate
from privacyops.domain.datamap.build import DataMap, build, prepare
from privacyops.domain.datamap.catalogue import Collection, Shape
from privacyops.domain.datamap.chance import by_chance, range_weight, unused
from privacyops.domain.datamap.deciding import Answer, Decision, decided
from privacyops.domain.datamap.link import CANDIDATES, Link, Ownership
from privacyops.domain.record import Value, spelled
from tests.unit.test_datamap import table

Rows = Sequence[dict[str, Value]]
DENSE = range(1, 151)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def drawn(*tables: Collection, **rows: Rows) -> DataMap:
    """The map of a shop that holds `rows`, all of them sampled and each question answered in full."""
    draft = prepare("shop", tables, rows)
    answers: dict[tuple[str, str], list[dict[str, Value]]] = {}
    for one in draft.lookups:
        asked = {spelled(value) for value in one.values}
        answers[one.collection, one.field] = [
            row for row in rows.get(one.collection, ()) if spelled(row[one.field]) in asked
        ]
    for pair in draft.together:
        answers[pair.where] = list(rows.get(pair.to, ()))
    return build(draft, answers)


def people(keys: Iterable[int]) -> Rows:
    return [{"id": key, "full_name": f"F{key} L", "email": f"p{key}@example.org"} for key in keys]


def pointing(column: str, values: Sequence[int]) -> Rows:
    return [{"id": at, column: value, "body": "so it was"} for at, value in enumerate(values, 1)]


def leads(of: DataMap, start: str, to: str = "accounts") -> Link | None:
    return next((one for one in of.links if one.start == start and one.to == to), None)


def some(keys: Iterable[int], n: int = 150, seed: int = 7) -> list[int]:
    dice, every = random.Random(seed), list(keys)
    return [dice.choice(every) for _ in range(n)]


ACCOUNTS = table("accounts", "id:i full_name:t email:t", rows=150)
STAFF = table("staff", "id:i full_name:t email:t", rows=8)
THINGS = "id:i {}:i body:t"
GAPPED = [key for key in range(1, 201) if key % 7 and key % 11]


def notes(column: str) -> Collection:
    return table("notes", THINGS.format(column), rows=150)


def test_numbers_that_avoid_every_gap_of_a_key_point_there_whatever_the_column_is_called() -> None:
    found = drawn(ACCOUNTS, notes("zzz"), accounts=people(GAPPED), notes=pointing("zzz", some(GAPPED)))
    link = leads(found, "notes.zzz")
    assert link is not None
    assert link.is_followed
    said = {piece.kind: (piece.n, piece.of) for piece in link.evidence}
    missing, of = said["avoids numbers that are missing there"]
    assert 0 < missing < of


@pytest.mark.parametrize("seed", range(40))
def test_numbers_that_count_something_else_are_never_followed(seed: int) -> None:
    dice = random.Random(seed)
    keys = [key for key in range(1, 200) if dice.random() > dice.choice([0.0, 0.02, 0.1, 0.3])]
    top = dice.choice([5, 20, 60, 120, 199])
    found = drawn(
        ACCOUNTS, notes("zzz"), accounts=people(keys), notes=pointing("zzz", some(range(1, top + 1), 150, seed))
    )
    link = leads(found, "notes.zzz")
    assert link is None or not link.usable


def test_a_key_without_gaps_proves_nothing_by_containing_small_numbers() -> None:
    found = drawn(ACCOUNTS, notes("zzz"), accounts=people(DENSE), notes=pointing("zzz", some(DENSE)))
    link = leads(found, "notes.zzz")
    assert link is None or link.confidence < CANDIDATES


def test_a_cluster_that_counts_in_threes_proves_nothing() -> None:
    keys = range(1, 451, 3)
    others = [{"id": key, "zzz": value, "body": "x"} for key, value in zip(keys, some(keys), strict=True)]
    found = drawn(ACCOUNTS, notes("zzz"), accounts=people(keys), notes=others)
    link = leads(found, "notes.zzz")
    assert link is None or not link.is_followed


def test_a_role_is_that_of_the_only_people_who_can_hold_it() -> None:
    rows = pointing("seller_id", some(range(1, 101)))
    found = drawn(ACCOUNTS, STAFF, notes("seller_id"), accounts=people(DENSE), staff=people(range(1, 9)), notes=rows)
    link = leads(found, "notes.seller_id")
    assert link is not None
    assert (link.is_followed, link.ownership) == (True, Ownership.OWNED)
    staff = leads(found, "notes.seller_id", "staff")
    assert staff is not None
    assert not staff.usable


def test_a_role_that_two_tables_of_people_can_hold_is_a_question() -> None:
    guests = table("guests", "id:i full_name:t email:t", rows=150)
    rows = pointing("sender_id", some(DENSE))
    found = drawn(ACCOUNTS, guests, notes("sender_id"), accounts=people(DENSE), guests=people(DENSE), notes=rows)
    both = [leads(found, "notes.sender_id", to) for to in ("accounts", "guests")]
    assert all(one is not None and one.usable and not one.is_followed for one in both)


def test_a_role_that_a_table_of_other_things_fits_better_is_a_question() -> None:
    machines = table("machines", "id:i name:t", rows=60)
    rows = pointing("host_id", some(range(1, 61)))
    shop = (ACCOUNTS, machines, notes("host_id"))
    named: Rows = [{"id": key, "name": f"m{key}"} for key in range(1, 61)]
    link = leads(drawn(*shop, accounts=people(DENSE), machines=named, notes=rows), "notes.host_id")
    assert link is not None
    assert not link.is_followed


def test_a_few_numbers_under_a_role_word_are_no_proof() -> None:
    found = drawn(ACCOUNTS, notes("owner_id"), accounts=people(DENSE), notes=pointing("owner_id", some(range(1, 4))))
    link = leads(found, "notes.owner_id")
    assert link is None or not link.is_followed


def test_orphans_that_may_be_deleted_customers_make_a_question_and_no_refusal() -> None:
    gone = {13, 57, 88, 91, 140}
    keys = [key for key in DENSE if key not in gone]
    rows = pointing("accounts_id", list(DENSE))
    link = leads(drawn(ACCOUNTS, notes("accounts_id"), accounts=people(keys), notes=rows), "notes.accounts_id")
    assert link is not None
    assert (link.usable, link.is_followed) == (True, False)


def test_many_orphans_are_forgiven_where_an_address_agrees() -> None:
    keys = [key for key in DENSE if key % 9]
    rows = [{"id": at, "accounts_id": at, "email": f"p{at}@example.org"} for at in DENSE]
    orders = table("orders", "id:i accounts_id:i email:t", rows=150)
    link = leads(drawn(ACCOUNTS, orders, accounts=people(keys), orders=rows), "orders.accounts_id")
    assert link is not None
    assert link.is_followed


def test_columns_of_a_key_of_several_point_together() -> None:
    case = Collection("cases", fields=table("x", "year:i case_no:i accounts_id:i").fields, key=("year", "case_no"))
    paper = Collection(
        "papers", fields=table("x", "year:i case_no:i page:i body:t").fields, key=("year", "case_no", "page")
    )
    cases: Rows = [{"year": 2020 + at % 3, "case_no": at, "accounts_id": at} for at in range(1, 31)]
    papers: Rows = [{"year": 2020 + at % 3, "case_no": at, "page": 1, "body": "x"} for at in range(1, 31)]
    found = drawn(ACCOUNTS, case, paper, accounts=people(DENSE), cases=cases, papers=papers)
    link = leads(found, "papers.year+case_no", "cases")
    assert link is not None
    assert link.is_followed
    wrong: Rows = [{"year": 1990, "case_no": at, "page": 1, "body": "x"} for at in range(1, 31)]
    other = leads(drawn(ACCOUNTS, case, paper, accounts=people(DENSE), cases=cases, papers=wrong), link.start, "cases")
    assert other is not None
    assert not other.usable


def test_a_pair_of_foreign_keys_is_no_key_of_a_third_table() -> None:
    pairs = table("x", "accounts_id:i goods_id:i").fields
    key = ("accounts_id", "goods_id")
    goods = table("goods", "id:i title:t")
    wish, review = Collection("wishes", fields=pairs, key=key), Collection("reviews", fields=pairs, key=key)
    found = drawn(ACCOUNTS, goods, wish, review)
    assert not [one for one in found.links if len(one.fields) > 1]


def test_the_shops_own_people_do_not_own_what_they_handled() -> None:
    users = table("users", "id:i username:t password:t email:t", rows=6)
    customers = table("customers", "id:i full_name:t email:t", rows=900)
    orders = table("orders", "id:i customer_id:i", rows=2000)
    history = table("order_history", "id:i order_id:i user_id:i comment:t", rows=5000)
    link = leads(drawn(users, customers, orders, history), "order_history.user_id", "users")
    assert link is not None
    assert link.ownership is Ownership.POINTER


def test_the_chance_of_meeting_keys_is_that_of_fishers_test() -> None:
    assert by_chance([(2, 2, 0, 2)]) == pytest.approx(1 / 6)
    assert by_chance([(2, 2, 0, 2), (1, 1, 0, 1)]) == pytest.approx(1 / 12)
    assert by_chance([(5, 5, 5, 5)]) == 1.0
    assert by_chance([(0, 0, 3, 9)]) == 1.0


def test_small_numbers_prove_nothing_where_only_the_large_ones_have_gaps() -> None:
    keys = [*range(1, 81), *range(82, 161, 4)]
    few = [at for at in range(1, 100) for _ in range(1 + (at < 60))]
    found = drawn(ACCOUNTS, notes("zzz"), accounts=people(keys), notes=pointing("zzz", [at for at in few if at < 82]))
    link = leads(found, "notes.zzz")
    assert link is None or not link.usable


def test_a_row_with_a_key_that_nobody_understands_is_not_his_whom_values_alone_found() -> None:
    lessons = table("lessons", "id:i zzz_id:i qqq_id:i body:t", rows=150)
    rows: Rows = [
        {"id": at, "zzz_id": value, "qqq_id": 10**6 + at, "body": "x"} for at, value in enumerate(some(GAPPED), 1)
    ]
    link = leads(drawn(ACCOUNTS, lessons, accounts=people(GAPPED), lessons=rows), "lessons.zzz_id")
    assert link is not None
    assert (link.is_followed, link.ownership) == (True, Ownership.UNDECIDED)


def test_a_contract_between_two_people_is_no_mere_tie_where_other_rows_hang_on_it() -> None:
    deals = table("deals", "deal_id:i first_id:i second_id:i", key="deal_id", rows=150)
    rates = table("rates", "id:i deal_id:i amount:n", rows=150)
    pairs = zip(some(GAPPED), some(GAPPED, seed=8), strict=True)
    rows: Rows = [{"deal_id": at, "first_id": one, "second_id": two} for at, (one, two) in enumerate(pairs, 1)]
    lines: Rows = [{"id": at, "deal_id": at, "amount": 1} for at in DENSE]
    of = drawn(ACCOUNTS, deals, accounts=people(GAPPED), deals=rows)
    assert {one.ownership for one in of.links if one.collection == "deals"} == {Ownership.SHARED}
    of = drawn(ACCOUNTS, deals, rates, accounts=people(GAPPED), deals=rows, rates=lines)
    assert {one.ownership for one in of.links if one.collection == "deals"} == {Ownership.UNDECIDED}


def test_unused_numbers_lie_between_the_used_ones_and_on_their_lattice() -> None:
    assert unused({1, 3, 4}) == (2,)
    assert set(unused({1, 7, 13, 25})) == {19}
    assert unused({5}) == ()
    assert len(unused(set(range(0, 10**7, 40_003)))) <= 80


def test_a_range_says_nothing_where_few_numbers_reach_a_tenth_of_the_keys() -> None:
    assert range_weight(range(1, 16), 1, 150) == 0.0
    assert range_weight(range(1, 151), 1, 150) == pytest.approx(0.8)
    assert range_weight([], 1, 150) == 0.0


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ('a:1:{s:7:"user_id";i:31;}', True), ('cart|a:1:{i:0;i:3;}', True), ('O:8:"stdClass":0:{}', True),
        ("eyJ1c2VyX2lkIjozMSwibG9jYWxlIjoiZW4ifQ==", True),
        ("eyJ1c2VyX2lkIjozMSwibG9jYWxlIjoiZW4ifQ:1tXy2Z:abc-_9", True),
        ("BAh7B0kiDHVzZXJfaWQGOgZFVGkk", True), ('{"user_id": 31}', False), ("a: one thing, b: another", False),
        ("kAFQmDzST7DWlj99KOF/cg==", False), ("0123456789abcdef0123456789abcdef", False), ("Thursdaymorning9", False),
    ],
)  # fmt: skip
def test_what_a_program_packed_for_itself_is_known_and_named_as_unread(text: str, packed: bool) -> None:
    sessions = table("sessions", "id:i data:t")
    found = drawn(sessions, sessions=[{"id": at, "data": text} for at in range(1, 4)])
    assert list(unread(found)) == (["sessions.data"] if packed else [])


def test_tables_that_no_link_ties_to_anybody_are_named_with_their_keys() -> None:
    rows: Rows = [{"id": at, "about_id": at, "opened_by": at, "body": "so it was"} for at in range(1, 6)]
    claims = table("claims", "id:i about_id:i opened_by:i body:t")
    assert list(untied(drawn(ACCOUNTS, claims, accounts=people(range(900, 950)), claims=rows))) == [
        "claims (about_id, opened_by)"
    ]


def test_an_answer_about_rows_that_seemed_to_be_about_nobody_brings_what_hangs_on_them() -> None:
    tickets = table("tickets", "id:i handled_by:i subject:t", rows=150)
    replies = table("replies", "id:i ticket_id:i body:t", rows=150)
    handled: Rows = [{"id": at, "handled_by": at, "subject": "x"} for at in DENSE]
    answers: Rows = [{"id": at, "ticket_id": at, "body": "so it was"} for at in DENSE]
    found = drawn(ACCOUNTS, tickets, replies, accounts=people(DENSE), tickets=handled, replies=answers)
    asked = leads(found, "tickets.handled_by")
    assert asked is not None
    reply = leads(found, "replies.ticket_id", "tickets")
    assert reply is not None
    assert reply.ownership is Ownership.CONTEXT
    said = Decision(link=asked.id, answer=Answer.YES, ownership=Ownership.OWNED, decided_by=UUID(int=1), decided_at=NOW)
    told = decided(found, {asked.id: said})
    reply = leads(told, "replies.ticket_id", "tickets")
    assert reply is not None
    assert reply.ownership is Ownership.OWNED


@pytest.mark.parametrize(
    ("texts", "is_text"),
    [
        (["by kim@example.org", "by cron"], True), (["/leave?of=kim@example.org", "/", "/cart"], True),
        (["kim@example.org;bo@example.org", "-"], True), (["kim@example.org", "kim", "bo", "cy"], False),
        (["@home", "a@b"], False), (["cup", "tea pot"], False),
    ],
)  # fmt: skip
def test_a_short_text_with_an_address_in_it_is_searched_as_a_text(texts: list[str], is_text: bool) -> None:
    (_, field) = annotate(table("things", "id:i what:t"), [{"what": text} for text in texts]).fields
    assert (field.shape is Shape.FREE_TEXT) is is_text


KEYS = [f"u-{at:05d}" for at in range(1, 61)]


@pytest.mark.parametrize(
    ("held", "confidence"),
    [
        (KEYS[:30], 0.9), ([*KEYS[:28], "u-99998", "u-99999"], 0.9),
        ([*KEYS[:20], *(f"v-{at}" for at in range(10))], 0.0), (KEYS[:4], 0.0), ([str(at) for at in range(30)], 0.0),
    ],
    ids=["its keys", "some are gone", "another's", "too few", "numbers"],
)  # fmt: skip
def test_texts_that_no_other_table_has_prove_whose_key_they_are(held: list[str], confidence: float) -> None:
    keys = [str(at) for at in range(60)] if held[0].isdecimal() else KEYS
    people = table("members", "uid:t email:t", key="uid", rows=60)
    marks = table("marks", "id:i u:t", rows=len(held))
    found = drawn(
        people, marks, members=[{"uid": key, "email": f"m{at}@example.org"} for at, key in enumerate(keys)],
        marks=[{"id": at, "u": key} for at, key in enumerate(held)],
    )  # fmt: skip
    assert max((link.confidence for link in found.links if link.fields == ("u",)), default=0.0) == confidence
