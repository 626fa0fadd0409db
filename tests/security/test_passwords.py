"""Slow hashes: what fits, what costs the same, and how many run at once."""

import threading
import time

import pytest

from privacyops.adapters import passwords
from privacyops.adapters.passwords import Cost, ScryptPasswords, StoredHashRefused
from privacyops.ports.passwords import HashingBusy

CHEAP = ScryptPasswords(Cost(ln=10, r=8, p=1))


def test_the_default_cost_is_that_of_the_house() -> None:
    assert Cost() == Cost(ln=15, r=8, p=3)


def test_the_stored_text_names_its_parameters_and_not_the_password() -> None:
    stored = CHEAP.hashed("gravel onion tuba")
    assert stored.startswith("$scrypt$ln=10,r=8,p=1$")
    assert "gravel" not in stored


def test_the_right_password_fits_and_another_does_not() -> None:
    stored = CHEAP.hashed("gravel onion tuba")
    assert CHEAP.fits(stored, "gravel onion tuba")
    assert not CHEAP.fits(stored, "gravel onion tub")


def test_two_accounts_with_one_password_have_different_hashes() -> None:
    assert CHEAP.hashed("gravel onion tuba") != CHEAP.hashed("gravel onion tuba")


def test_a_password_composed_differently_by_another_keyboard_fits() -> None:
    assert CHEAP.fits(CHEAP.hashed("zu\u0308rich regen tasse"), "z\u00fcrich regen tasse")


def test_an_unknown_account_never_fits() -> None:
    assert not CHEAP.fits(None, "")
    assert not CHEAP.fits(None, "gravel onion tuba")


@pytest.mark.parametrize("password", ["", "x" * 1_000_000, "\ud800"])
def test_odd_input_does_not_fit_and_does_not_crash(password: str) -> None:
    assert not CHEAP.fits(CHEAP.hashed("gravel onion tuba"), password)


def _seconds(stored: str | None, hasher: ScryptPasswords) -> float:
    began = time.perf_counter()
    hasher.fits(stored, "gravel onion tuba")
    return time.perf_counter() - began


def test_an_unknown_account_takes_the_work_of_a_known_one() -> None:
    hasher = ScryptPasswords(Cost(ln=13, r=8, p=1))
    stored = hasher.hashed("another password")
    known = min(_seconds(stored, hasher) for _ in range(7))
    unknown = min(_seconds(None, hasher) for _ in range(7))
    assert 0.5 < unknown / known < 2.0


def test_a_hash_with_older_parameters_still_fits_and_is_known_as_outdated() -> None:
    stored = ScryptPasswords(Cost(ln=9, r=8, p=1)).hashed("gravel onion tuba")
    assert CHEAP.fits(stored, "gravel onion tuba")
    assert CHEAP.is_outdated(stored)
    assert not CHEAP.is_outdated(CHEAP.hashed("gravel onion tuba"))


@pytest.mark.parametrize(
    "stored",
    ["", "gravel", "$scrypt$ln=10,r=8,p=1$AA$", "$scrypt$ln=40,r=8,p=1$AA$AA", "$scrypt$ln=10,r=99,p=1$AA$AA"],
)
def test_a_damaged_hash_is_refused_and_cannot_ask_for_endless_work(stored: str) -> None:
    with pytest.raises(StoredHashRefused):
        CHEAP.fits(stored, "gravel onion tuba")


def test_at_most_two_hashings_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher, running, most, lock = ScryptPasswords(Cost(ln=4, r=1, p=1)), 0, 0, threading.Lock()
    real = passwords.hashlib.scrypt

    def counted(*args: object, **kwargs: object) -> bytes:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        return real(*args, **kwargs)  # type: ignore[arg-type, no-any-return]  # passed through unchanged

    monkeypatch.setattr(passwords.hashlib, "scrypt", counted)
    threads = [threading.Thread(target=hasher.hashed, args=("gravel onion tuba",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_whoever_waits_too_long_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "WAIT_S", 0.01)
    hasher = ScryptPasswords(Cost(ln=4, r=1, p=1))
    for _ in range(2):
        hasher._slots.acquire()
    with pytest.raises(HashingBusy):
        hasher.hashed("gravel onion tuba")
