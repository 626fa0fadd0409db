"""Tickets, their messages and product reviews, filled from the texts with the author and invented third parties."""

from typing import Final

from privacyops.demo.shop.cast import SERVICE, STAFF, WAREHOUSE
from privacyops.demo.shop.catalogue import Catalogue
from privacyops.demo.shop.dice import Dice
from privacyops.demo.shop.names import MAIL_DOMAINS
from privacyops.demo.shop.people import Person, mail_name
from privacyops.demo.shop.texts import (
    BY_LANGUAGE,
    BY_PERSON,
    REVIEW_CLOSINGS,
    REVIEW_MIDDLES,
    REVIEW_OPENINGS,
    REVIEW_TITLES,
    THREADS_EN,
    Thread,
)
from privacyops.demo.shop.trade import Order, Rows, shouted

TICKETS: Final = 620
REVIEWS: Final = 1500


def slots(dice: Dice, order: Order) -> dict[str, str]:
    """Values for every slot of a text: the author's own data and third parties of the same country."""
    person, country = order.person, order.person.country
    third = [(dice.pick(country.women if at % 2 else country.men), dice.pick(country.families)) for at in range(3)]
    given, family = third[0]
    staff = dice.pick(SERVICE)
    return {
        "me": person.given,
        "mine": person.name,
        "own_phone": person.phone or "in my account",
        "own_mail": person.email,
        "order": order.order_no,
        "item": dice.pick(order.lines)[0].name,
        "staff": staff.first_name,
        "colleague": dice.pick(WAREHOUSE + STAFF[12:14]).name,
        "neighbour": f"{third[1][0]} {third[1][1]}",
        "relative": f"{dice.pick(country.men)} {person.family}",
        "friend": f"{given} {family}",
        "courier": f"{third[2][0]} {third[2][1]}",
        "phone": dice.phone(country.phones),
        "phone2": dice.phone(country.phones),
        "mail": f"{mail_name(given)}.{mail_name(family)}@{dice.pick(MAIL_DOMAINS)}",
        "place": f"{dice.pick(country.streets)} {dice.between(1, 90)}",
    }


def ticket_rows(dice: Dice, all_orders: tuple[Order, ...], rows: Rows) -> None:
    """Tickets of the cast, one each and Luc's long one, then those of other customers and guests."""
    latest: dict[str, Order] = {order.person.key: order for order in all_orders if order.person.key}
    recent = [order for order in all_orders if not order.person.key and order.ago < 420]
    chosen = list(latest.values()) + [dice.pick(recent) for _ in range(TICKETS - len(latest))]
    for order in chosen:
        thread = BY_PERSON.get(order.person.key) or _thread(dice, order.person)
        _one_ticket(dice, order, thread, rows)


def _thread(dice: Dice, person: Person) -> Thread:
    own = BY_LANGUAGE.get(person.country.language)
    return dice.pick(own) if own and dice.chance(0.7) else dice.pick(THREADS_EN)


def _one_ticket(dice: Dice, order: Order, thread: Thread, rows: Rows) -> None:
    subject, messages = thread
    values = slots(dice, order)
    opened = max(order.ago - dice.between(2, 9), 0)
    agent = dice.pick(SERVICE)
    values["staff"] = agent.first_name
    ticket_id = 7001 + len(rows["tickets"])
    closed = opened > 20 or dice.chance(0.3)
    by_account = order.guest_email is None and dice.chance(0.85)
    mail = order.guest_email or order.person.email
    rows["tickets"].append(
        (
            ticket_id,
            order.person.customer_id if by_account else None,
            shouted(mail, dice) if dice.chance(0.1) else mail,
            order.order_no if "{order}" in messages[0][1] or dice.chance(0.4) else None,
            subject,
            "closed" if closed else "open",
            agent.staff_id,
            dice.moment(opened),
            dice.moment(opened - 6) if closed else None,
        )
    )
    for at, (writer, text) in enumerate(messages):
        body = text.format_map(values)
        author = None if writer == "customer" else agent.staff_id
        sent = dice.moment(opened - at)
        rows["ticket_messages"].append((len(rows["ticket_messages"]) + 1, ticket_id, writer, author, body, sent))


def review_rows(dice: Dice, goods: Catalogue, all_orders: tuple[Order, ...], rows: Rows) -> None:
    """Reviews of bought products; every tenth stands without an account, under the author's name alone."""
    cast = [order for order in all_orders if order.person.key and order.guest_email is None][::3]
    for order in cast + [dice.pick(all_orders) for _ in range(REVIEWS - len(cast))]:
        person = order.person
        with_account = person.customer_id is not None and dice.chance(0.9)
        text = f"{dice.pick(REVIEW_OPENINGS)} {dice.pick(REVIEW_MIDDLES)} {dice.pick(REVIEW_CLOSINGS)}".strip()
        shown = (
            person.given
            if dice.chance(0.6)
            else f"{person.given} {person.family[0]}."
            if dice.chance(0.5)
            else person.name
        )
        rows["reviews"].append(
            (
                len(rows["reviews"]) + 1,
                dice.pick(order.lines)[0].product_id,
                person.customer_id if with_account else None,
                shown if with_account else person.name,
                dice.pick((1, 2, 3, 4, 4, 5, 5, 5)),
                dice.pick(REVIEW_TITLES),
                text.format_map(slots(dice, order)),
                dice.moment(max(order.ago - 14, 0)),
            )
        )
