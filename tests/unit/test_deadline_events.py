"""Events of a clock: what may be recorded, and how they are written down."""

from datetime import UTC, date, datetime, timedelta

import pytest

from privacyops.domain.deadline.event import (
    ClockEvent,
    ClockEventKind,
    EventMalformed,
    EventOutOfPlace,
    appended,
    settled,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
RECEIVED = ClockEvent(id="1", kind=ClockEventKind.RECEIVED, at=NOON)


def event(kind: str, days: float, **more: object) -> ClockEvent:
    values = {"id": f"{kind}{days}", "kind": ClockEventKind(kind), "at": NOON + timedelta(days=days), **more}
    return ClockEvent(**values)


class TestOneEvent:
    def test_a_moment_without_a_zone_is_refused(self) -> None:
        with pytest.raises(EventMalformed):
            ClockEvent(id="1", kind=ClockEventKind.RECEIVED, at=datetime(2026, 5, 4))  # noqa: DTZ001 - that is the point

    def test_a_moment_outside_the_calendar_is_refused(self) -> None:
        edge = datetime.fromisoformat("0001-01-01T00:00+02:00")
        with pytest.raises(EventMalformed):
            ClockEvent(id="1", kind=ClockEventKind.RECEIVED, at=edge)

    def test_every_moment_is_kept_in_utc(self) -> None:
        local = datetime.fromisoformat("2026-05-04T14:00+02:00")
        assert ClockEvent(id="1", kind=ClockEventKind.RECEIVED, at=local).at.isoformat().endswith("+00:00")

    @pytest.mark.parametrize(
        ("kind", "more"),
        [
            ("received", {"until": date(2026, 6, 1)}),
            ("identity_asked", {"corrects": "1"}),
            ("corrected", {"corrected_at": NOON}),
            ("received", {"id": ""}),
        ],
    )
    def test_a_member_that_the_kind_does_not_have_is_refused(self, kind: str, more: dict[str, object]) -> None:
        with pytest.raises(EventMalformed):
            event(kind, 0, **more)


class TestJson:
    @pytest.mark.parametrize(
        "written",
        [
            RECEIVED,
            event("received", 0, recorded_at=NOW),
            event("extension_notice_sent", 3, until=date(2026, 7, 1)),
            event("corrected", 4, corrects="1"),
            event("corrected", 4.5, corrects="1", corrected_at=NOON),
        ],
    )
    def test_an_event_survives_being_written_down(self, written: ClockEvent) -> None:
        assert ClockEvent.from_json(written.to_json()) == written

    @pytest.mark.parametrize(
        "change",
        [
            {"kind": "closed"},
            {"at": "2026-05-04T12:00"},
            {"at": "yesterday"},
            {"at": 1777896000},
            {"colour": "red"},
            {"until": "2026-02-30"},
        ],
    )
    def test_a_row_that_is_no_event_is_refused(self, change: dict[str, object]) -> None:
        with pytest.raises(EventMalformed):
            ClockEvent.from_json({**event("reopened", 1).to_json(), **change})

    @pytest.mark.parametrize("member", ["id", "kind", "at"])
    def test_a_row_without_a_needed_member_names_it(self, member: str) -> None:
        row = RECEIVED.to_json()
        del row[member]
        with pytest.raises(EventMalformed, match=member):
            ClockEvent.from_json(row)


class TestAppending:
    def test_what_fits_is_put_at_the_end(self) -> None:
        asked = event("identity_asked", 1)
        assert appended([RECEIVED], asked, NOW) == (RECEIVED, asked)

    def test_the_first_event_is_a_receipt(self) -> None:
        with pytest.raises(EventOutOfPlace):
            appended([], event("identity_asked", 1), NOW)

    def test_a_request_is_received_once(self) -> None:
        with pytest.raises(EventOutOfPlace):
            appended([RECEIVED], event("received", 1), NOW)

    def test_nothing_happens_before_the_receipt(self) -> None:
        with pytest.raises(EventOutOfPlace, match="before the receipt"):
            appended([RECEIVED], event("identity_asked", -1), NOW)

    def test_nothing_happens_in_the_future(self) -> None:
        with pytest.raises(EventOutOfPlace, match="future"):
            appended([RECEIVED], event("identity_asked", 60), NOW)

    def test_an_id_is_used_once(self) -> None:
        asked = event("identity_asked", 1)
        with pytest.raises(EventOutOfPlace):
            appended([RECEIVED, asked], asked, NOW)

    @pytest.mark.parametrize("answer", ["identity_proved", "authority_proved", "clarification_received", "fee_settled"])
    def test_an_answer_needs_its_question(self, answer: str) -> None:
        with pytest.raises(EventOutOfPlace, match="answers nothing"):
            appended([RECEIVED], event(answer, 1), NOW)

    def test_a_question_is_answered_once(self) -> None:
        events = [RECEIVED, event("identity_asked", 1), event("identity_proved", 2)]
        with pytest.raises(EventOutOfPlace):
            appended(events, event("identity_proved", 3), NOW)

    def test_an_unknown_event_cannot_be_corrected(self) -> None:
        with pytest.raises(EventOutOfPlace):
            appended([RECEIVED], event("corrected", 1, corrects="nobody"), NOW)

    def test_the_receipt_cannot_be_removed(self) -> None:
        with pytest.raises(EventOutOfPlace, match="not removed"):
            appended([RECEIVED], event("corrected", 1, corrects="1"), NOW)

    def test_the_receipt_can_be_moved(self) -> None:
        fix = event("corrected", 1, corrects="1", corrected_at=NOON - timedelta(days=3))
        assert settled(appended([RECEIVED], fix, NOW))[0].at == NOON - timedelta(days=3)


def test_a_correction_of_something_unknown_changes_nothing() -> None:
    assert settled([RECEIVED, event("corrected", 1, corrects="nobody")]) == (RECEIVED,)


def test_a_correction_cannot_reach_an_event_recorded_after_it() -> None:
    asked = event("identity_asked", 1)
    assert settled([RECEIVED, event("corrected", 2, corrects=asked.id), asked]) == (RECEIVED, asked)
