"""Made-up texts and cells for a benchmark without a file of one's own: sentences of a shop's help desk, and columns."""

import random
from collections.abc import Iterator
from typing import Final

_FIRST: Final = ("Anna", "Luis", "Marie", "Peter", "Sofia", "James", "Ewa", "Jan", "Chloé", "Giulia")
_LAST: Final = ("Weber", "Gomes", "Dubois", "Jansen", "Rossi", "Kowalska", "Miller", "Smith", "Novak", "Lindqvist")
_CITIES: Final = ("Berlin", "Lyon", "Utrecht", "Porto", "Leeds", "Boston", "Gdańsk", "Malmö")
_SENTENCES: Final = (
    "{first} {last} called about order {order} and asks for a refund of {price}.",
    "Please send the parcel to {number} {last} Street, {city}, and mail {email} when it is on its way.",
    "My number is {phone}; I live in {city} and will be back on {day}.",
    "The account {iban} was charged twice for the Organic Cotton T-Shirt.",
    "I never got an answer. The tracking page still shows {tracking}.",
    "{first} from {city} wrote: the card {card} does not work in your shop any more!",
    "Could you tell {first} {last} that the blue one is sold out until next week?",
)


def texts(number: int, seed: int = 7) -> Iterator[tuple[str, str]]:
    """Sentences by themselves and in pairs, as (id, text)."""
    source = random.Random(seed)
    for at in range(number):
        picked = source.sample(_SENTENCES, source.choice((1, 1, 2, 3)))
        yield f"made-{at:05}", " ".join(_filled(one, source) for one in picked)


def cells(number: int, seed: int = 7) -> Iterator[tuple[str, str]]:
    """Single values as columns hold them; some come again."""
    source = random.Random(seed)
    kinds = (
        "{first}",
        "{last}",
        "{email}",
        "{phone}",
        "{order}",
        "{price}",
        "{city}",
        "{day}",
        "{tracking}",
        "paid",
        "EUR",
    )
    for at in range(number):
        yield f"cell-{at:05}", _filled(source.choice(kinds), source)


def _filled(sentence: str, source: random.Random) -> str:
    first, last = source.choice(_FIRST), source.choice(_LAST)
    return sentence.format(
        first=first,
        last=last,
        city=source.choice(_CITIES),
        number=source.randrange(1, 250),
        email=f"{first}.{last}{source.randrange(90)}@example.com".lower(),
        order=f"ORD-2026-{source.randrange(10**6):06}",
        price=f"{source.randrange(5, 300)}.{source.randrange(100):02}",
        day=f"2026-{source.randrange(1, 13):02}-{source.randrange(1, 29):02}",
        phone=f"+1 202-555-01{source.randrange(100):02}",
        tracking=f"1Z{source.randrange(10**14):014}",
        iban="DE89 3704 0044 0532 0130 00",
        card="4111 1111 1111 1111",
    )
