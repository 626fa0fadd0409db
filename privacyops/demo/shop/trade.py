"""Orders and all that hangs on them: lines, payments, shipments, returns, invoices, loyalty points."""

import json
import unicodedata
from dataclasses import dataclass
from typing import Final, TypeAlias

from privacyops.demo.shop.cast import WAREHOUSE
from privacyops.demo.shop.catalogue import Product
from privacyops.demo.shop.dice import Dice
from privacyops.demo.shop.names import BY_CODE
from privacyops.demo.shop.people import Address, Person

Rows: TypeAlias = dict[str, list[tuple[str | int | float | None, ...]]]
"""Rows to insert by table, each in the order of the table's columns."""

ORDERS: Final = 4600
_AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36",
)
_CARRIERS: Final = ("Postbird", "Kurier Nord", "Relais Colis Vert")
_METHODS: Final = ("card", "card", "card", "direct debit", "invoice", "wallet")
_RETURN_REASONS: Final = ("wrong size", "damaged on the way", "changed my mind", "colour differs", "gift not wanted")
_NOTES: Final = (
    "Please ring at {neighbour}'s if nobody opens, {phone}.",
    "It is a present for my mother {relative}, no invoice in the parcel please.",
    "Bitte bei Familie {family} im Erdgeschoss abgeben.",
    "Merci de laisser le colis chez {neighbour}, {phone}.",
    "Call me an hour before: {own_phone}.",
    "Please leave it behind the green gate.",
    "Deliver after 17:00 only.",
    "Ohne Werbung bitte.",
)


@dataclass(frozen=True, slots=True)
class Order:
    """One order with its owner; `ago` counts days before today. A guest order has `guest_email`."""

    order_id: int
    order_no: str
    person: Person
    guest_email: str | None
    ago: int
    ship_to: Address
    lines: tuple[tuple[Product, int], ...]
    status: str

    @property
    def total_cents(self) -> int:
        return sum(product.price_cents * quantity for product, quantity in self.lines)


def shouted(mail: str, dice: Dice) -> str:
    """The same mailbox in another spelling: capitals, as on a phone keyboard or a paper form."""
    local, _, domain = mail.partition("@")
    return dice.pick((mail.upper(), f"{local.title()}@{domain}", f"{local.title()}@{domain.title()}"))


def bank_spelling(name: str) -> str:
    """A name as bank statements print it: capitals without accents."""
    letters = unicodedata.normalize("NFD", name.upper().replace("Ł", "L").replace("Ø", "O"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def orders(dice: Dice, everybody: tuple[Person, ...], products: tuple[Product, ...]) -> tuple[Order, ...]:
    """All orders, oldest first, so that numbers rise with time. Every member of the cast has some."""
    wanted: list[tuple[int, Person, str | None]] = []
    for person in everybody:
        for at in range(person.orders):
            ago = person.joined - 20 - at * (person.joined - 45) // (person.orders - 1)  # the latest 25 days ago
            mail = person.email if at % 2 else shouted(person.email, dice)
            wanted.append((ago, person, mail if person.customer_id is None else None))
        if person.customer_id is None and not person.orders:
            wanted.append((dice.below(person.joined), person, _guest_mail(dice, person)))
        if person.former_email:  # before the account was opened, as a guest under the old address
            wanted.append((person.joined + dice.between(5, 60), person, shouted(person.former_email, dice)))
            wanted.append((person.joined + dice.between(5, 60), person, person.former_email))
    crowd = [person for person in everybody if not person.key]
    while len(wanted) < ORDERS:
        person = dice.pick(crowd)
        as_guest = person.customer_id is None or dice.chance(0.02)
        wanted.append((dice.below(person.joined), person, _guest_mail(dice, person) if as_guest else None))
    wanted.sort(key=lambda item: (-item[0], item[1].email, item[2] or ""))
    return tuple(_order(dice, 50_001 + at, item, products) for at, item in enumerate(wanted))


def _guest_mail(dice: Dice, person: Person) -> str:
    return shouted(person.email, dice) if dice.chance(0.35) else person.email


def _order(dice: Dice, order_id: int, wanted: tuple[int, Person, str | None], products: tuple[Product, ...]) -> Order:
    ago, person, guest = wanted
    lines = tuple(
        (dice.pick(products), 1 if dice.chance(0.8) else dice.between(2, 4))
        for _ in range(dice.pick((1, 1, 2, 2, 3, 4)))
    )
    status = "open" if ago < 2 else "sent" if ago < 5 else "cancelled" if dice.chance(0.04) else "delivered"
    number = f"HW{dice.day(ago)[2:4]}-{order_id:06}"
    return Order(order_id, number, person, guest, ago, dice.pick(person.addresses), lines, status)


def trade_rows(dice: Dice, all_orders: tuple[Order, ...], rows: Rows) -> None:
    """Fill `rows` with orders and what follows from each."""
    for order in all_orders:
        moment = dice.moment(order.ago)
        _order_rows(dice, order, moment, rows)
        if order.status == "cancelled":
            continue
        _payment_row(dice, order, rows)
        if order.status != "open":
            _shipment_row(dice, order, rows)
            _invoice_row(dice, order, rows)
            if dice.chance(0.07):
                _return_row(dice, order, rows)
        if order.guest_email is None:
            points = order.total_cents // 500
            rows["loyalty_points"].append(
                (len(rows["loyalty_points"]) + 1, order.person.customer_id, order.order_id, points, "order", moment)
            )


def _order_rows(dice: Dice, order: Order, moment: str, rows: Rows) -> None:
    person = order.person
    has_account = order.guest_email is None
    contact = None
    if not has_account or dice.chance(0.3):
        contact = json.dumps(
            {
                "name": person.name,
                "email": order.guest_email or person.email,
                "phone": person.phone,
                "delivery": {
                    "street": order.ship_to.street,
                    "postcode": order.ship_to.postcode,
                    "town": order.ship_to.town,
                },
            },
            ensure_ascii=False,
        )
    rows["orders"].append(
        (
            order.order_id,
            order.order_no,
            person.customer_id if has_account else None,
            order.guest_email,
            order.status,
            moment,
            person.home.address_id if has_account else None,
            order.ship_to.address_id if has_account else None,
            contact,
            order.total_cents,
            "EUR",
            dice.ip(),
            dice.pick(_AGENTS),
            _note(dice, person) if dice.chance(0.12) else None,
            dice.pick(WAREHOUSE).staff_id if order.status != "open" else None,
        )
    )
    for at, (product, quantity) in enumerate(order.lines, start=1):
        engraving = f"Für {dice.pick(person.country.women)}" if dice.chance(0.02) else None
        rows["order_lines"].append((order.order_id, at, product.product_id, quantity, product.price_cents, engraving))


def _note(dice: Dice, person: Person) -> str:
    country = person.country
    return dice.pick(_NOTES).format(
        neighbour=f"{dice.pick(country.men)} {dice.pick(country.families)}",
        family=dice.pick(country.families),
        relative=f"{dice.pick(country.women)} {person.family}",
        phone=dice.phone(country.phones),
        own_phone=person.phone or "the number is in my account",
    )


def _payment_row(dice: Dice, order: Order, rows: Rows) -> None:
    method = dice.pick(_METHODS)
    hint = {
        "card": f"card ending {dice.between(1000, 9999)}",
        "direct debit": f"IBAN ending {dice.between(1000, 9999)}",
    }.get(method)
    fingerprint = f"fp_{order.person.home.address_id * 2654435761 % 2**40:010x}" if method == "card" else None
    status = "refunded" if dice.chance(0.03) else "open" if method == "invoice" and order.ago < 14 else "paid"
    paid = dice.moment(order.ago - 1) if status != "open" else None
    rows["payments"].append(
        (
            len(rows["payments"]) + 1,
            order.order_id,
            method,
            order.person.name if dice.chance(0.8) else bank_spelling(order.person.name),
            hint,
            fingerprint,
            order.total_cents,
            status,
            paid,
        )
    )


def _shipment_row(dice: Dice, order: Order, rows: Rows) -> None:
    country = BY_CODE[order.ship_to.country]
    left_with = None
    if dice.chance(0.08):
        left_with = f"{dice.pick(country.women)} {dice.pick(country.families)}, neighbour"
    rows["shipments"].append(
        (
            len(rows["shipments"]) + 1,
            order.order_id,
            dice.pick(_CARRIERS),
            f"PB{order.order_id * 7919 % 10**9:09}EX",
            order.ship_to.recipient,
            order.ship_to.one_line,
            left_with,
            dice.moment(order.ago - 1),
            dice.moment(order.ago - 4) if order.status == "delivered" else None,
        )
    )


def _invoice_row(dice: Dice, order: Order, rows: Rows) -> None:
    net = order.total_cents * 100 // 119
    number = len(rows["invoices"]) + 1
    rows["invoices"].append(
        (
            number,
            f"R{dice.day(order.ago)[:4]}-{number:06}",
            order.order_id,
            dice.day(order.ago - 1),
            order.person.name,
            order.person.home.one_line,
            order.guest_email or order.person.email,
            net,
            order.total_cents - net,
        )
    )


def _return_row(dice: Dice, order: Order, rows: Rows) -> None:
    remark = None
    if dice.chance(0.4):
        friend = f"{dice.pick(order.person.country.women)} {dice.pick(order.person.country.families)}"
        remark = f"Label to be sent to {friend}, who brings the parcel back for {order.person.given}."
    rows["returns"].append(
        (
            len(rows["returns"]) + 1,
            order.order_id,
            dice.between(1, len(order.lines)),
            dice.pick(_RETURN_REASONS),
            remark,
            dice.pick(WAREHOUSE).staff_id,
            f"XX00 0000 0000 {dice.between(1000, 9999)}" if dice.chance(0.3) else None,
            dice.day(order.ago - 12) if order.ago > 12 else None,
        )
    )
