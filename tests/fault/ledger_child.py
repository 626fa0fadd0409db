"""A writing service for test_ledger_kills.py: records choices and says which were acknowledged, until it is killed.

Several threads write at the same time, so that they share commits; one of them numbers and signs.
"""

import sys
import threading

from small_service import small_service  # type: ignore[import-not-found]  # the test puts its folder on the path

from privacyops.adapters.system_clock import SystemClock
from privacyops.domain.consent.state import Method
from privacyops.domain.subject import IdentifierType
from privacyops.services import ledger
from privacyops.services.consent import writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.context import Context
from privacyops.services.idempotency import Call
from privacyops.store.engine import connect
from privacyops.store.uow import Database


def write(ctx: Context, number: int, say: threading.Lock) -> None:
    """One choice of one of three people, acknowledged on a line of its own."""
    whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, f"p{number % 3}@example.com")])
    answer = ChoiceAnswer.GRANT if number % 2 else ChoiceAnswer.REFUSE
    choice = Choice("newsletter", "email", answer)
    call = Call.of(f"call-{number}", b"body")
    written = writing.record_choices(ctx, whom, [choice], Circumstances(Method.FORM), call)
    with say:
        sys.stdout.write(f"{number} {written.events[0]['event_id']}\n")
        sys.stdout.flush()


def main(url: str, first: int, count: int, threads: int) -> None:
    """Write `count` choices, numbering and signing after each third."""
    ctx, say = small_service(Database(connect(url)), SystemClock()), threading.Lock()

    def work(lane: int) -> None:
        for number in range(first + lane, first + count, threads):
            write(ctx, number, say)
            if lane == 0 and (threads > 1 or number % 3 == 2):
                ledger.drain(ctx, "child")

    lanes = [threading.Thread(target=work, args=(lane,)) for lane in range(1, threads)]
    for lane in lanes:
        lane.start()
    work(0)
    for lane in lanes:
        lane.join()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
