"""Durable writes of consent: one by one, many choices in a call, and an older list taken over."""

import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final
from uuid import uuid4

from privacyops.bench.result import Row
from privacyops.domain.account.action import Role
from privacyops.domain.account.actor import staff
from privacyops.domain.consent.state import Method
from privacyops.domain.subject import IdentifierType
from privacyops.kernel.ids import AccountId
from privacyops.services import purpose
from privacyops.services.consent import importing, writing
from privacyops.services.consent.import_lines import Defaults
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.context import Context

SINGLE_GOAL: Final = 3_000.0
BATCHED_GOAL: Final = 20_000.0
IMPORT_GOAL: Final = 1_000_000 / 180
_HOW: Final = Circumstances(Method.FORM, jurisdiction="DE")
_CALLERS: Final = (1, 16, 64)


def measure(ctx: Context, count: int, engine: str) -> list[Row]:
    """Writes of people not met before, through the service, without HTTP; `engine` names the database."""
    return [*_single(ctx, count, engine), _batched(ctx, max(count // 8, 50), engine), _imported(ctx, count, engine)]


def _single(ctx: Context, count: int, engine: str) -> Iterator[Row]:
    choice = [Choice("newsletter", "sms", ChoiceAnswer.GRANT)]
    for callers in _CALLERS:
        number = max(count // 8, 50) if callers == 1 else count
        cpu = time.process_time()
        wall = _timed(lambda: writing.record_choices(ctx, _somebody(ctx), choice, _HOW), callers, number)
        spent = time.process_time() - cpu
        goal = SINGLE_GOAL if callers == 16 else None
        about = f"durable writes, {engine}, {callers} callers"
        yield Row(about, number / wall, "1/s", goal, at_least=True)
        yield Row(f"{about}: CPU of this process", spent / number * 1000, "ms/write")


def _batched(ctx: Context, calls: int, engine: str) -> Row:
    """One call with a choice for each purpose over each of its channels."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        known = purpose.catalogue(ctx, tx).purposes
    choices = [
        Choice(key, channel, ChoiceAnswer.REFUSE) for key, one in known.items() for channel in one.current.channels
    ]
    wall = _timed(lambda: writing.record_choices(ctx, _somebody(ctx), choices, _HOW), 16, calls)
    about = f"durable records, {engine}, {len(choices)} in a call, 16 callers"
    return Row(about, calls * len(choices) / wall, "1/s", BATCHED_GOAL, at_least=True)


def _imported(ctx: Context, count: int, engine: str) -> Row:
    """An older list, its dry run left out."""
    now = ctx.clock.now() - timedelta(seconds=1)
    officer = ctx.acting_as(staff(AccountId(uuid4()), ctx.controller.key, Role.DPO, step_up_at=now))
    lines = "".join(f"{uuid4().hex}@example.com,yes,2026-01-05,list,v1,form\n" for _ in range(count))
    told = ("email,choice,occurred_at,source,wording,method\n" + lines).encode()
    defaults = Defaults("newsletter", "email", jurisdiction="DE")
    digest = importing.dry_run(officer, io.BytesIO(told), defaults).digest
    began = time.perf_counter()
    importing.run(officer, io.BytesIO(told), defaults, digest)
    wall = time.perf_counter() - began
    return Row(f"imported lines, {engine}", count / wall, "1/s", IMPORT_GOAL, at_least=True)


def _timed(act: Callable[[], object], callers: int, number: int) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        for _ in pool.map(lambda _: act(), range(number)):
            pass
    return time.perf_counter() - began


def _somebody(ctx: Context) -> Whom:
    return Whom.of(ctx, None, [(IdentifierType.EMAIL, f"{uuid4().hex}@example.com")])
