"""The people the demo's requests come from, and the shop's staff: written by hand, each with a story.

Everybody here is invented. The rest of the customers is drawn in people.py.
"""

from dataclasses import dataclass
from typing import Final

SHOP_NAME: Final = "Halm & Wicke"
SHOP_DOMAIN: Final = "halmwicke.example"


@dataclass(frozen=True, slots=True)
class Role:
    """One person of the cast. `guest` has no account; `former_email` stands in old rows only."""

    key: str
    given: str
    family: str
    country: str
    email: str
    street: str
    town: str
    orders: int
    former_email: str | None = None
    phone: str | None = None
    guest: bool = False
    story: str = ""


_HOUSEHOLD: Final = "+442896496217"

CAST: Final = (
    Role(
        "klara",
        "Klara",
        "Vogelsang",
        "DE",
        "klara.vogelsang@example.com",
        "Am Alten Wehr 7",
        "28203|Bremen",
        9,
        "k.vogelsang@example.org",
        "+494066969042",
        story="changed her mail address; the old one stands in guest orders, the archive and a mailing list",
    ),
    Role(
        "jonas",
        "Jonas",
        "Lindqvist",
        "SE",
        "jonas.lindqvist@example.com",
        "Hamngatan 12",
        "211 19|Malmö",
        6,
        story="shares his full name with another customer",
    ),
    Role(
        "jonas_namesake",
        "Jonas",
        "Lindqvist",
        "SE",
        "j.lindqvist@example.net",
        "Parkvägen 3",
        "753 10|Uppsala",
        5,
        story="the namesake: nothing of his may be given to the other",
    ),
    Role(
        "maeve",
        "Maeve",
        "Brennan",
        "IE",
        "maeve.brennan@example.com",
        "4 Harbour Road",
        "T12 W8KP|Cork",
        6,
        phone=_HOUSEHOLD,
        story="shares telephone and address with her husband, who is a customer too",
    ),
    Role(
        "cormac",
        "Cormac",
        "Brennan",
        "IE",
        "cormac.brennan@example.org",
        "4 Harbour Road",
        "T12 W8KP|Cork",
        3,
        phone=_HOUSEHOLD,
        story="the other half of the household",
    ),
    Role(
        "elisa",
        "Elisa",
        "Rinaldi",
        "IT",
        "elisa.rinaldi@example.com",
        "Via dei Tigli 18",
        "40121|Bologna",
        5,
        guest=True,
        story="always orders as a guest, in mixed spellings of one mail address",
    ),
    Role(
        "luc",
        "Luc",
        "Desmarets",
        "FR",
        "luc.desmarets@example.org",
        "22 rue du Moulin",
        "44000|Nantes",
        7,
        story="a long ticket that names a neighbour and a courier",
    ),
    Role(
        "ines",
        "Inés",
        "Albornoz",
        "ES",
        "ines.albornoz@example.com",
        "Calle del Olmo 31",
        "46003|Valencia",
        5,
        story="asks for erasure while an invoice must be kept",
    ),
    Role(
        "wiktor",
        "Wiktor",
        "Jasiński",
        "PL",
        "wiktor.jasinski@example.net",
        "ul. Lipowa 9",
        "31-010|Kraków",
        4,
        story="his name stands with and without its accent",
    ),
    Role(
        "femke",
        "Femke",
        "Roskam",
        "NL",
        "femke.roskam@example.com",
        "Molenweg 44",
        "3511 LN|Utrecht",
        6,
        story="wants her data in a file she can take elsewhere",
    ),
    Role(
        "stijn",
        "Stijn",
        "Verbruggen",
        "BE",
        "stijn.verbruggen@example.org",
        "15 rue Haulte",
        "3000|Leuven",
        4,
        story="corrects a misspelt street",
    ),
    Role(
        "theresa",
        "Theresa",
        "Hollerbach",
        "AT",
        "theresa.hollerbach@example.com",
        "Lerchengasse 5",
        "8010|Graz",
        5,
        story="objects to advertising",
    ),
    Role(
        "freja",
        "Freja",
        "Damgaard",
        "DK",
        "freja.damgaard@example.com",
        "Skovvej 27",
        "8000|Aarhus",
        3,
        story="few orders and no surprises: a short request",
    ),
    Role(
        "bastian",
        "Bastian",
        "Oelmann",
        "DE",
        "bastian.oelmann@example.org",
        "Rosenweg 2",
        "30167|Hannover",
        4,
        story="works in the shop's service team and is a customer in private",
    ),
    Role(
        "giulia",
        "Giulia",
        "Serafini",
        "IT",
        "giulia.serafini@example.net",
        "Corso Italia 60",
        "34121|Trieste",
        4,
        story="her sister wrote a ticket on her behalf",
    ),
    Role(
        "oona",
        "Oona",
        "Kivelä",
        "SE",
        "oona.kivela@example.com",
        "Kärleksgatan 9",
        "903 26|Umeå",
        3,
        story="asks for everything and means something in particular",
    ),
    Role(
        "rasmus",
        "Rasmus",
        "Thorvald",
        "DK",
        "rasmus.thorvald@example.net",
        "Havnegade 18",
        "5000|Odense",
        3,
        story="asked for erasure, and it was carried out",
    ),
)


@dataclass(frozen=True, slots=True)
class StaffMember:
    staff_id: int
    name: str
    role: str
    manager_id: int | None = None

    @property
    def email(self) -> str:
        given, _, family = self.name.partition(" ")
        return f"{given[0].lower()}.{family.lower()}@{SHOP_DOMAIN}"

    @property
    def first_name(self) -> str:
        return self.name.partition(" ")[0]


STAFF: Final = (
    StaffMember(1, "Ottilie Brandes", "owner"),
    StaffMember(2, "Ruben Halbach", "head of service", 1),
    StaffMember(3, "Bastian Oelmann", "service", 2),
    StaffMember(4, "Milena Kovac", "service", 2),
    StaffMember(5, "Yannick Leroux", "service", 2),
    StaffMember(6, "Sigrun Matthes", "service", 2),
    StaffMember(7, "Tarek Amrani", "account manager", 1),
    StaffMember(8, "Henrike Solberg", "account manager", 1),
    StaffMember(9, "Piotr Malinowski", "warehouse", 12),
    StaffMember(10, "Nadja Feldkamp", "warehouse", 12),
    StaffMember(11, "Gabriel Osorio", "warehouse", 12),
    StaffMember(12, "Walburga Thiele", "head of warehouse", 1),
    StaffMember(13, "Emre Aydin", "accounts", 1),
    StaffMember(14, "Lioba Kern", "marketing", 1),
)
SERVICE: Final = tuple(member for member in STAFF if member.role == "service")
ACCOUNT_MANAGERS: Final = tuple(member for member in STAFF if member.role == "account manager")
WAREHOUSE: Final = tuple(member for member in STAFF if member.role == "warehouse")
