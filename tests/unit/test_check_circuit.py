"""Slow reads leave the event loop, and come back when the disk is well again."""

from privacyops.store.check_reader import OPEN_S, PROBE_EVERY, SLOW_S, Circuit


class Seconds:
    """A double of the machine's clock."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def passes(circuit: Circuit, calls: int) -> int:
    return sum(circuit.lets_pass() for _ in range(calls))


def test_one_slow_read_changes_nothing() -> None:
    circuit = Circuit(Seconds())
    circuit.took(SLOW_S)
    assert passes(circuit, 50) == 50


def test_two_slow_reads_far_apart_change_nothing() -> None:
    seconds = Seconds()
    circuit = Circuit(seconds)
    circuit.took(SLOW_S)
    seconds.now += 1.5
    circuit.took(SLOW_S)
    assert passes(circuit, 50) == 50


def test_two_slow_reads_within_a_second_send_all_to_the_thread_for_ten_seconds() -> None:
    seconds = Seconds()
    circuit = Circuit(seconds)
    circuit.took(SLOW_S)
    circuit.took(SLOW_S)
    assert passes(circuit, 1000) == 0
    seconds.now += OPEN_S
    assert passes(circuit, 2 * PROBE_EVERY) == 2


def test_a_quick_probe_ends_it_and_a_slow_one_prolongs_it() -> None:
    seconds = Seconds()
    circuit = Circuit(seconds)
    circuit.took(SLOW_S)
    circuit.took(SLOW_S)
    seconds.now += OPEN_S
    circuit.took(SLOW_S)
    assert passes(circuit, 1000) == 0
    seconds.now += OPEN_S
    circuit.took(SLOW_S / 10)
    assert passes(circuit, 50) == 50
