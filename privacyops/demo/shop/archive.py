"""The order archive: the system the shop ran before, with German names, old customer numbers and no declared keys."""

from typing import Final

from privacyops.demo.shop.cast import SERVICE
from privacyops.demo.shop.catalogue import Catalogue
from privacyops.demo.shop.dice import Dice
from privacyops.demo.shop.people import Person
from privacyops.demo.shop.trade import Rows, shouted

_CALLS: Final = (
    "Rückruf erbeten unter {phone}, am besten abends.",
    "Beschwerde über Zusteller {name}, geklärt.",
    "Ehepartner {name} hat bezahlt, Konto vermerkt.",
    "Möchte keine Werbung mehr an {mail}.",
    "Nachbarin {name} nimmt Pakete an.",
)


def archive_rows(dice: Dice, everybody: tuple[Person, ...], goods: Catalogue) -> Rows:
    """Rows of the archive by table: customers of long standing, with their mail address of that time."""
    rows: Rows = {"kunde": [], "auftrag": [], "auftrag_pos": [], "beleg": [], "kontakt": []}
    regulars = [person for person in everybody if person.joined > 560]
    for at, person in enumerate(regulars, start=1):
        number = f"A{at * 7 + 1000}"
        mail = person.former_email or person.email
        rows["kunde"].append(
            (
                number,
                f"{person.family}, {person.given}",
                shouted(mail, dice) if dice.chance(0.4) else mail,
                (person.phone or "").replace("+", "00") or None,
                person.home.one_line,
                dice.day(dice.between(1500, 2600)),
            )
        )
        for _ in range(dice.between(1, 4)):
            _order(dice, number, person, goods, rows)
        if person.key or dice.chance(0.25):
            _contact(dice, number, person, rows)
    return rows


def _order(dice: Dice, customer: str, person: Person, goods: Catalogue, rows: Rows) -> None:
    number = f"AU-{30000 + len(rows['auftrag'])}"
    ago = dice.between(930, 2400)
    items = [(item, dice.between(1, 3)) for item in dice.sample(goods.products, dice.between(1, 3))]
    total = sum(item.price_cents * n for item, n in items) / 100
    remark = (
        dice.pick(("Geschenk", "eilig", f"für {dice.pick(person.country.women)} {person.family}"))
        if dice.chance(0.2)
        else None
    )
    rows["auftrag"].append((number, customer, dice.day(ago), total, person.home.one_line, remark))
    for at, (item, n) in enumerate(items, start=1):
        rows["auftrag_pos"].append((number, at, item.name, n, item.price_cents / 100))
    bill = f"B{len(rows['beleg']) + 4000}"
    rows["beleg"].append((bill, number, dice.day(ago - 2), f"{person.name}, {person.home.one_line}", total))
    if dice.chance(0.1):
        text = f"Lieferung zu {number} verspätet, {person.family} benachrichtigt."
        contact_id = len(rows["kontakt"]) + 1
        rows["kontakt"].append(
            (contact_id, "AUFTRAG", number, dice.day(ago - 3), "Telefon", text, dice.pick(SERVICE).name)
        )


def _contact(dice: Dice, customer: str, person: Person, rows: Rows) -> None:
    text = dice.pick(_CALLS).format(
        phone=person.phone or "bekannter Nummer",
        mail=person.former_email or person.email,
        name=f"{dice.pick(person.country.women)} {dice.pick(person.country.families)}",
    )
    contact_id = len(rows["kontakt"]) + 1
    channel = dice.pick(("Telefon", "Brief", "E-Mail"))
    when = dice.day(dice.between(930, 2300))
    rows["kontakt"].append((contact_id, "KUNDE", customer, when, channel, text, dice.pick(SERVICE).name))
