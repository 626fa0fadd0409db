"""What customers leave behind around their orders: account, sessions, carts, wish lists, newsletter, change log."""

import json
from typing import Final

from privacyops.demo.shop.cast import ACCOUNT_MANAGERS, SERVICE, STAFF
from privacyops.demo.shop.catalogue import Catalogue
from privacyops.demo.shop.dice import Dice
from privacyops.demo.shop.people import Person
from privacyops.demo.shop.trade import Order, Rows, shouted

SESSIONS: Final = 6000
_DEVICES: Final = (
    ("phone", "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36"),
    ("phone", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"),
    ("desktop", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    ("tablet", "Mozilla/5.0 (iPad; CPU OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"),
)
_WISHES: Final = (
    "for {name}'s birthday",
    "ask {name} about the colour",
    "when the kitchen is done",
    "present",
    "two of these",
)
_ACCOUNT_NOTES: Final = (
    "Prefers to be called before noon.",
    "Complained about courier {name}; see ticket.",
    "Pays for the orders of her daughter {name}.",
    "Met at the spring fair, introduced by {name}.",
)
_SOURCES: Final = ("checkout", "footer", "footer", "fair", "competition")


def base_rows(dice: Dice, everybody: tuple[Person, ...], goods: Catalogue, rows: Rows) -> None:
    """Staff, catalogue, customers and addresses: the tables others point at."""
    rows["staff_users"] = [
        (
            member.staff_id,
            member.email,
            member.name,
            member.role,
            dice.phone("DE"),
            member.manager_id,
            dice.day(dice.between(200, 2500)),
        )
        for member in STAFF
    ]
    rows["categories"] = list(goods.categories)
    rows["products"] = [
        (item.product_id, item.sku, item.category_id, item.name, item.price_cents, item.weight_g)
        for item in goods.products
    ]
    rows["stock"] = list(goods.stock)
    for person in everybody:
        if person.customer_id is not None:
            _customer_row(dice, person, rows)


def _customer_row(dice: Dice, person: Person, rows: Rows) -> None:
    joined = dice.moment(person.joined)
    contact = {"preferred": dice.pick(("email", "phone", "letter")), "email": person.email, "phones": [person.phone]}
    rows["customers"].append(
        (
            person.customer_id,
            person.customer_no,
            person.email,
            person.given,
            person.family,
            person.phone,
            f"{dice.between(1948, 2006)}-{dice.between(1, 12):02}-{dice.between(1, 28):02}"
            if dice.chance(0.5)
            else None,
            person.country.code,
            person.country.language,
            dice.pick(ACCOUNT_MANAGERS).staff_id if person.key or dice.chance(0.15) else None,
            f"scrypt$16384$8$1${dice.token(32)}",
            int(dice.chance(0.45)),
            json.dumps(contact) if dice.chance(0.35) else None,
            joined,
            joined,
            _filled(dice, _ACCOUNT_NOTES, person) if dice.chance(0.06) else None,
        )
    )
    for place in person.addresses:
        rows["addresses"].append(
            (
                place.address_id,
                person.customer_id,
                place.kind,
                place.recipient,
                place.street,
                place.postcode,
                place.town,
                place.country,
                person.phone if dice.chance(0.6) else None,
            )
        )


def _filled(dice: Dice, texts: tuple[str, ...], person: Person) -> str:
    country = person.country
    return dice.pick(texts).format(name=f"{dice.pick(country.women)} {dice.pick(country.families)}")


def visit_rows(dice: Dice, everybody: tuple[Person, ...], goods: Catalogue, rows: Rows) -> None:
    """Sessions, carts and wish lists of customers."""
    customers = [person for person in everybody if person.customer_id is not None]
    cast = [person for person in customers if person.key]
    for at in range(SESSIONS):
        person = dice.pick(cast) if at % 60 == 0 else dice.pick(customers)
        device, agent = dice.pick(_DEVICES)
        started = dice.moment(dice.below(min(person.joined, 400)))
        rows["sessions"].append(
            (dice.token(24), person.customer_id, dice.ip(), device, agent, started, dice.between(1, 50))
        )
    for at, person in enumerate(cast + dice.sample(customers, 480), start=1):
        items = [{"sku": item.sku, "n": dice.between(1, 3)} for item in dice.sample(goods.products, dice.between(1, 4))]
        owner = person.customer_id if dice.chance(0.8) else None
        rows["carts"].append((at, owner, dice.token(16), json.dumps(items), dice.moment(dice.below(90))))
    for person in dict.fromkeys(cast + dice.sample(customers, 420)):
        for item in dice.sample(goods.products, dice.between(1, 5)):
            remark = _filled(dice, _WISHES, person) if dice.chance(0.15) else None
            added = dice.moment(dice.below(person.joined))
            rows["wish_list_items"].append((person.customer_id, item.product_id, remark, added))


def newsletter_rows(dice: Dice, everybody: tuple[Person, ...], rows: Rows) -> None:
    """Subscribers by mail address only: customers, guests, and old addresses of people who changed theirs."""
    entries: list[tuple[str, str, int]] = []
    for person in everybody:
        if person.key or dice.chance(0.72):
            mail = shouted(person.email, dice) if dice.chance(0.12) else person.email
            entries.append((mail, person.given, dice.below(person.joined)))
        if person.former_email:
            entries.append((person.former_email, person.given, person.joined + dice.between(1, 80)))
    for at, (mail, given, ago) in enumerate(entries, start=1):
        confirmed = dice.moment(ago) if dice.chance(0.93) else None
        left = dice.moment(dice.below(max(ago, 1))) if confirmed and dice.chance(0.18) else None
        name = given if dice.chance(0.6) else None
        rows["newsletter_subscribers"].append(
            (at, mail, name, dice.pick(_SOURCES), dice.ip(), dice.moment(ago), confirmed, left)
        )


def change_rows(dice: Dice, everybody: tuple[Person, ...], all_orders: tuple[Order, ...], rows: Rows) -> None:
    """The change log: who of the staff changed which row, with old and new values as JSON."""
    changes: list[tuple[int, str, int, dict[str, dict[str, str]]]] = []
    for person in everybody:
        if person.customer_id is None:
            continue
        if person.former_email:
            change = {"email": {"old": person.former_email, "new": person.email}}
            changes.append((person.joined - dice.between(1, 300), "customers", person.customer_id, change))
        if dice.chance(0.25) or person.key == "stijn":
            old = {"old": f"{person.home.street[:-1]}x", "new": person.home.street}
            changes.append((dice.below(person.joined), "addresses", person.home.address_id, {"street": old}))
        if dice.chance(0.2):
            old = {"old": "", "new": person.phone or ""}
            changes.append((dice.below(person.joined), "customers", person.customer_id, {"phone": old}))
    for order in dice.sample(all_orders, 620):
        changes.append((order.ago - 1, "orders", order.order_id, {"status": {"old": "open", "new": order.status}}))
    changes.sort(key=lambda item: (-item[0], item[1], item[2]))
    for at, (ago, table, row, change_made) in enumerate(changes, start=1):
        rows["change_log"].append(
            (
                at,
                dice.moment(ago),
                dice.pick(SERVICE).staff_id,
                table,
                row,
                json.dumps(change_made, ensure_ascii=False),
            )
        )
