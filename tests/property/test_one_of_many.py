"""A look-up among many values answers as a comparison with each of them would."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from privacyops.connector_sdk.equality import OneOf, equal, equal_ci

ID = UUID("018f3c6e-0000-7000-8000-000000000001")
NAIVE = datetime(2026, 1, 2)  # noqa: DTZ001 - a store may hold one
ALIKE = st.sampled_from(
    [17, 17.0, Decimal("17.00"), "17", "17.0", "017", True, False, 1, 0, -0.0, "1", "", "nan", float("nan"),
     float("inf"), "inf", "Mia@Example.com", "mia@example.com", "\u03c3", "\u03c2", "\u03a3", ID, str(ID),
     str(ID).upper(), None, b"17", b"mia@example.com", date(2026, 1, 2), "2026-01-02", NAIVE, NAIVE.replace(tzinfo=UTC),
     "2026-01-02T00:00:00", (1, 2), "[1, 2]", 0.1, "0.1", 10**30, str(10**30)]
)  # fmt: skip
ANY = ALIKE | st.integers() | st.floats() | st.text(max_size=4) | st.decimals(places=3) | st.binary(max_size=3)


@given(held=ANY, wanted=st.lists(ANY, max_size=8))
@example(held=str(ID).upper(), wanted=[ID])
@example(held=17, wanted=["17"])
def test_in_means_equal_to_one_of_them(held: object, wanted: list[object]) -> None:
    assert OneOf(wanted, folds=False).has(held) == any(equal(held, one) for one in wanted)


@given(held=ANY, wanted=st.lists(ANY, max_size=8))
@example(held="MIA@example.com", wanted=["mia@EXAMPLE.com"])
def test_in_ci_means_equal_to_one_of_them_without_regard_to_case(held: object, wanted: list[object]) -> None:
    assert OneOf(wanted, folds=True).has(held) == any(equal_ci(held, one) for one in wanted)
