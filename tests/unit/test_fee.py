"""When an answer may cost something, read out of the catalog."""

from datetime import date

import pytest

from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.fee import FURTHER_COPIES, fee_grounds

DAY = date(2026, 11, 22)


def test_the_gdpr_lets_only_access_cost_for_further_copies() -> None:
    assert FURTHER_COPIES in fee_grounds("eu_gdpr", RequestType.ACCESS, DAY)
    assert FURTHER_COPIES not in fee_grounds("eu_gdpr", RequestType.ERASURE, DAY)


@pytest.mark.parametrize("type_", [RequestType.ACCESS, RequestType.ERASURE, RequestType.RECTIFICATION])
def test_the_gdpr_lets_an_unfounded_request_cost(type_: RequestType) -> None:
    assert {"manifestly_unfounded", "excessive"} <= set(fee_grounds("eu_gdpr", type_, DAY))


def test_california_never_lets_knowing_cost() -> None:
    assert fee_grounds("us_ca_ccpa", RequestType.KNOW_SPECIFIC, DAY) == ()


def test_a_law_that_lists_no_ground_permits_no_fee() -> None:
    assert fee_grounds("us_ca_delete_act", RequestType.ERASURE, DAY) == ()
