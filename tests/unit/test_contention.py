"""Which failures are worth another run, whoever raised them: SQLAlchemy, or the driver under a raw statement."""

import psycopg.errors
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from privacyops.store.uow import DatabaseUnavailable, _translated, is_contention

RAW = (psycopg.errors.DeadlockDetected(), psycopg.errors.SerializationFailure())
WRAPPED = tuple(OperationalError("SELECT 1", {}, one) for one in RAW)
OTHER = (psycopg.errors.AdminShutdown(), psycopg.OperationalError(), OperationalError("SELECT 1", {}, Exception()))


@pytest.mark.parametrize("error", RAW + WRAPPED + OTHER, ids=repr)
def test_deadlocks_and_failed_serialisation_are_run_again(error: psycopg.Error | DBAPIError) -> None:
    with pytest.raises(DatabaseUnavailable) as told, _translated():
        raise error
    assert is_contention(told.value) is is_contention(error) is (error not in OTHER)


def test_a_database_without_a_cause_is_not_run_again() -> None:
    assert not is_contention(DatabaseUnavailable())
