"""The shop's folder of documents and its mailbox: letters, lists, exports and mails about customers."""

import csv
import json
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from privacyops.demo.shop.cast import SERVICE, SHOP_DOMAIN, SHOP_NAME, StaffMember
from privacyops.demo.shop.dice import Dice
from privacyops.demo.shop.formats import docx, pdf, xlsx
from privacyops.demo.shop.people import Person
from privacyops.demo.shop.support import slots
from privacyops.demo.shop.texts import THREADS_EN
from privacyops.demo.shop.trade import Order, shouted

EVENTS: Final = 2000
_EVENT_NAMES: Final = ("page_view", "add_to_cart", "mail_opened", "mail_clicked", "wish_added", "login", "search")
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def write_documents(folder: Path, dice: Dice, everybody: tuple[Person, ...], all_orders: tuple[Order, ...]) -> None:
    """Fill `folder` with letters (PDF, DOCX, TXT), lists (CSV, XLSX), exports (JSONL, JSON, XML) and a page."""
    cast = [order for order in all_orders if order.person.key]
    some = [dice.pick(all_orders) for _ in range(120)]
    for name in ("letters", "lists", "exports", "notes"):
        (folder / name).mkdir(parents=True)
    for order in cast[::2] + some[:20]:
        path = folder / "letters" / f"{order.order_no}-confirmation.pdf"
        path.write_bytes(pdf(f"Order {order.order_no}", SHOP_NAME, _confirmation(dice, order)))
    latest = {order.person.key: order for order in cast}
    for order in [*latest.values(), *some[20:30]]:
        path = folder / "letters" / f"{order.order_no}-complaint.docx"
        path.write_bytes(docx(f"Complaint about {order.order_no}", order.person.name, _complaint(dice, order)))
    for at, order in enumerate([*list(latest.values())[::2], *some[30:38]], start=1):
        agent = dice.pick(SERVICE)
        text = "\n".join(
            (f"Telephone note, {dice.day(max(order.ago - 3, 0))}, {agent.name}", "", *_complaint(dice, order))
        )
        (folder / "notes" / f"call-{at:03}.txt").write_text(text, encoding="utf-8")
    returns = [order for order in all_orders if order.status == "delivered" and order.ago < 300][::4] + cast[:6]
    (folder / "lists" / "returns.xlsx").write_bytes(xlsx(_returns(dice, returns)))
    _mailing_lists(folder / "lists", dice, everybody)
    _exports(folder / "exports", dice, everybody, some)
    (folder / "faq.html").write_text(_FAQ, encoding="utf-8")


_FAQ: Final = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Questions and answers</title>
<meta name="author" content="Lioba Kern"></head>
<body><h1>Questions and answers</h1><p>Write to help@{SHOP_DOMAIN} or ring Ruben Halbach, head of service.</p>
<script>track("faq")</script></body></html>
"""


def _confirmation(dice: Dice, order: Order) -> list[str]:
    person = order.person
    lines = [SHOP_NAME, "", person.name, order.person.home.street, f"{person.home.postcode} {person.home.town}", ""]
    lines += [f"Order {order.order_no} of {dice.day(order.ago)}", f"Customer {person.customer_no or 'guest'}"]
    lines += [f"{n} x {item.name}: {item.price_cents / 100:.2f} EUR" for item, n in order.lines]
    lines += [
        f"Total {order.total_cents / 100:.2f} EUR",
        "",
        f"Confirmation sent to {order.guest_email or person.email}",
    ]
    return [*lines, f"Telephone {person.phone}" if person.phone else ""]


def _complaint(dice: Dice, order: Order) -> list[str]:
    subject, messages = dice.pick(THREADS_EN)
    values = slots(dice, order)
    text = [body.format_map(values) for writer, body in messages if writer == "customer"]
    return [f"{subject} ({order.order_no})", *text, f"{order.person.name}, {order.person.home.one_line}"]


def _returns(dice: Dice, orders: list[Order]) -> dict[str, list[list[str | int | float]]]:
    head: list[str | int | float] = ["Order", "Customer", "E-mail", "Telephone", "Refund EUR", "Remark"]
    table = [head]
    for order in orders:
        mail = shouted(order.person.email, dice) if dice.chance(0.2) else order.person.email
        remark = f"collected by {dice.pick(order.person.country.men)} {order.person.family}" if dice.chance(0.2) else ""
        refund = order.total_cents / 100
        table.append([order.order_no, order.person.name, mail, order.person.phone or "", refund, remark])
    agents: list[list[str | int | float]] = [["Agent", "E-mail"], *[_agent(agent) for agent in SERVICE]]
    return {"Returns": table, "Handled by": agents}


def _agent(agent: StaffMember) -> list[str | int | float]:
    return [agent.name, agent.email]


def _mailing_lists(folder: Path, dice: Dice, everybody: tuple[Person, ...]) -> None:
    """One list as an office program saves it (Windows-1252, semicolons), one from a mail tool, with hashes."""
    chosen = [person for person in everybody if person.key or dice.chance(0.5)]
    office, tool = StringIO(), StringIO()
    by_hand, by_tool = csv.writer(office, delimiter=";", lineterminator="\r\n"), csv.writer(tool, lineterminator="\n")
    by_hand.writerow(["Nr", "Vorname", "Nachname", "E-Mail", "Ort", "Bemerkung"])
    by_tool.writerow(["email", "email_sha256", "first_name", "country", "tags", "subscribed_at"])
    for at, person in enumerate(chosen, start=1):
        mail = person.former_email or person.email
        remark = (
            f"empfohlen von {dice.pick(person.country.women)} {dice.pick(person.country.families)}"
            if dice.chance(0.1)
            else ""
        )
        by_hand.writerow([at, person.given, person.family, mail, person.home.town, remark])
        if at % 2:
            digest = sha256(person.email.encode()).hexdigest()
            since = dice.moment(dice.below(person.joined))
            by_tool.writerow([person.email, digest, person.given, person.country.code, "spring|sale", since])
    (folder / "mailing-list.csv").write_bytes(office.getvalue().encode("cp1252", "replace"))
    (folder / "mail-tool.csv").write_text(tool.getvalue(), encoding="utf-8")


def _exports(folder: Path, dice: Dice, everybody: tuple[Person, ...], some: list[Order]) -> None:
    customers = [person for person in everybody if person.customer_id is not None]
    cast = [person for person in customers if person.key]
    with (folder / "events.jsonl").open("w", encoding="utf-8", newline="\n") as out:
        for at in range(EVENTS):
            person = dice.pick(cast) if at % 40 == 0 else dice.pick(customers)
            event = {
                "at": dice.moment(dice.below(min(person.joined, 120))),
                "event": dice.pick(_EVENT_NAMES),
                "customer_id": person.customer_id,
                "user": {"email": person.email, "country": person.country.code},
                "ip": dice.ip(),
            }
            out.write(json.dumps(event, ensure_ascii=False) + "\n")
    survey = [
        {
            "order": order.order_no,
            "email": order.person.email,
            "score": dice.between(1, 10),
            "answers": {"again": dice.chance(0.8)},
        }
        for order in some[40:80]
    ]
    (folder / "survey.json").write_text(json.dumps(survey, ensure_ascii=False, indent=1), encoding="utf-8")
    parcels = "".join(
        f"<parcel><order>{order.order_no}</order><recipient>{escape(order.ship_to.recipient)}</recipient>"
        f"<address>{escape(order.ship_to.one_line)}</address></parcel>\n"
        for order in some[80:]
    )
    (folder / "courier.xml").write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n<parcels>\n{parcels}</parcels>\n', encoding="utf-8"
    )


def write_mailbox(folder: Path, dice: Dice, all_orders: tuple[Order, ...]) -> None:
    """Fill `folder` with single mails, some with a PDF attached, and one mbox file of older ones."""
    (folder / "inbox").mkdir(parents=True)
    latest = {order.person.key: order for order in all_orders if order.person.key}
    for at, message in enumerate(
        _mails(dice, [*latest.values(), *(dice.pick(all_orders) for _ in range(35))]), start=1
    ):
        (folder / "inbox" / f"{at:04}.eml").write_bytes(message.as_bytes(policy=SMTP))
    with (folder / "support-archive.mbox").open("wb") as out:
        for message in _mails(dice, [dice.pick(all_orders) for _ in range(60)]):
            body = message.as_bytes().replace(b"\nFrom ", b"\n>From ")
            out.write(b"From help@" + SHOP_DOMAIN.encode() + b" Thu Jan  1 00:00:00 2026\n" + body + b"\n")


def _mails(dice: Dice, orders: list[Order]) -> Iterator[EmailMessage]:
    for at, order in enumerate(orders):
        subject, messages = dice.pick(THREADS_EN)
        values = slots(dice, order)
        message = EmailMessage()
        message["Message-ID"] = f"<{dice.token(16)}@mail.example>"
        message["Date"] = _mail_date(dice, max(order.ago - 4, 0))
        message["From"] = f'"{order.person.name}" <{order.guest_email or order.person.email}>'
        message["To"] = f"help@{SHOP_DOMAIN}"
        if dice.chance(0.2):
            message["Cc"] = f'"{values["friend"]}" <{values["mail"]}>'
        message["Subject"] = f"{subject} ({order.order_no})"
        message.set_content(messages[0][1].format_map(values) + "\n", cte="8bit")
        if at % 4 == 0:
            attached = pdf(f"Order {order.order_no}", SHOP_NAME, _confirmation(dice, order))
            message.add_attachment(attached, maintype="application", subtype="pdf", filename=f"{order.order_no}.pdf")
            message.set_boundary(f"=_{dice.token(16)}")
        yield message


def _mail_date(dice: Dice, ago: int) -> str:
    year, month, day = (int(part) for part in dice.day(ago).split("-"))
    moment = dice.moment(ago)[11:]
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    weekday = _WEEKDAYS[dice.today.replace(year=year, month=month, day=day).weekday()]
    return f"{weekday}, {day:02} {names[month - 1]} {year} {moment} +0000"
