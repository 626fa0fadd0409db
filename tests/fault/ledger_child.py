"""A writing service for test_ledger_kills.py: records choices and says which were acknowledged, until it is killed."""

import sys

from privacyops.adapters.system_clock import SystemClock
from privacyops.domain.consent.state import Method
from privacyops.domain.subject import IdentifierType
from privacyops.services import ledger
from privacyops.services.consent import writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.idempotency import Call
from privacyops.store.engine import connect
from privacyops.store.uow import Database
from tests.small_service import small_service


def main(url: str, first: int, count: int) -> None:
    """Write `count` choices for three people in turn, numbering and signing after each third."""
    ctx = small_service(Database(connect(url)), SystemClock())
    for number in range(first, first + count):
        whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, f"p{number % 3}@example.com")])
        answer = ChoiceAnswer.GRANT if number % 2 else ChoiceAnswer.REFUSE
        choice = Choice("newsletter", "email", answer)
        call = Call.of(f"call-{number}", b"body")
        written = writing.record_choices(ctx, whom, [choice], Circumstances(Method.FORM), call)
        sys.stdout.write(f"{number} {written.events[0]['event_id']}\n")
        sys.stdout.flush()
        if number % 3 == 2:
            ledger.drain(ctx, "child")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
