"""Free text of the demo shop: ticket threads and reviews, many of which name people other than their author.

Slots: {me} the author's given name, {mine} the author's full name, {order} an order number, {item} a product,
{staff} the shop's agent, {colleague} another member of staff, {neighbour} {relative} {friend} {courier} full
names of third parties, {phone} {phone2} their numbers, {mail} their mail address, {own_phone} {own_mail} the
author's, {place} a street with number.

A thread starts with its subject behind `= `; then each message names its writer (customer, staff, note); an indented
line goes on with the one before.
"""

from typing import Final, TypeAlias

Thread: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]
"""Subject, then who writes and what."""


def _threads(text: str) -> tuple[Thread, ...]:
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for line in text.strip().splitlines():
        if line.startswith("= "):
            found.append((line[2:], []))
        elif line.startswith("  "):
            writer, said = found[-1][1][-1]
            found[-1][1][-1] = (writer, f"{said} {line.strip()}")
        else:
            writer, _, said = line.partition(": ")
            found[-1][1].append((writer, said))
    return tuple((subject, tuple(messages)) for subject, messages in found)


THREADS_EN: Final = _threads("""
= Parcel left with the wrong neighbour
customer: Hello, the tracking for {order} says it was handed to {neighbour} at {place}. I asked, and {neighbour}
  never got anything. Her number is {phone} if you want to check with her. Regards, {mine}
staff: Dear {me}, I am sorry. I have opened an enquiry with the carrier and will call {neighbour} on {phone}.
  {staff}
note: Called {phone}: {neighbour} was friendly, has no parcel. Driver was {courier}. Send a new {item}.
customer: Thank you {staff}, the replacement came today. Please do not ring {neighbour} again.
= Please send the invoice to my husband
customer: For order {order} I need the invoice at {mail}, that is my husband {relative}. He does our accounts.
  You can reach me on {own_phone}. {mine}
staff: Done, the invoice went to {mail}. Have a good day! {staff}
= Cracked on arrival
customer: My {item} arrived cracked. The driver, a Mr {courier}, said I should refuse the parcel but it was open
  already. What now? {me}
staff: Hi {me}, could you send a photograph to our mailbox? I will ask {colleague} in the warehouse to set one
  aside.
customer: Photo sent from my wife's address {mail}, because my phone is broken.
note: Photo is there (sender {relative}). Replacement approved by {colleague}.
= Somebody else's letter in my parcel
customer: In the box of {order} was a letter for {friend}, {place}, with her telephone number {phone}. I did not
  read on. Should I throw it away? {mine}
staff: Thank you for telling us, {me}. Please send it back with the label I attach. I have told {colleague}, who
  looks after our privacy questions, and {friend} will hear from us at {mail}.
= Change of telephone number
customer: Please delete the number {phone} from my account, it belongs to my mother {relative}. Mine is
  {own_phone}.
staff: Dear {mine}, your number is {own_phone} now. The other one is gone. {staff}
= Gift for a friend
customer: I ordered {item} for {friend}. Could you put a card in it: 'Get well soon, yours {me}'? She is at the
  clinic until Friday, after that at {place}.
staff: With pleasure. The card is written and the parcel will go out on Friday. Best wishes to {friend}. {staff}
= Refund not received
customer: I sent {order} back two weeks ago and there is no refund. I spoke to {colleague} on the telephone, who
  promised three days. My mail is {own_mail}. {mine}
staff: Hello {me}, the refund was booked this morning. I apologise for the wait, also on behalf of {colleague}.
customer: It is here. Thanks.
= How do I oil the board?
customer: Which oil do you recommend for {item}?
staff: Linseed oil, thin, twice a year. Wipe it off after ten minutes. {staff}
= Order for the whole staircase
customer: Our house orders together: {neighbour} ({phone}), {friend} ({phone2}) and I would like twelve of
  {item}. Is there a discount? {mine}, {own_phone}
staff: Dear {me}, from ten pieces on there is eight percent. Shall I make one invoice or three?
customer: Three please. {friend} wants hers at {mail}.
note: Offer sent to all three. {neighbour} answered already, will pay in advance.
= Where is my order?
customer: Hello, {order} should have been here on Tuesday. Could you look? {me}
staff: Hello {me}, it is in the depot and comes tomorrow. {staff}
""")

THREADS_DE: Final = _threads("""
= Paket beim Nachbarn
customer: Guten Tag, laut Sendungsverfolgung wurde {order} bei {neighbour}, {place}, abgegeben. Dort weiß
  niemand davon. Frau {neighbour} ist unter {phone} erreichbar. Viele Grüße, {mine}
staff: Liebe Grüße zurück, {me}! Ich frage beim Zusteller nach und melde mich. {staff}
note: Mit {neighbour} telefoniert ({phone}), Paket stand im Hausflur. Kundin informieren.
= Rechnung an meine Firma
customer: Bitte schicken Sie die Rechnung zu {order} an unsere Buchhaltung, Herrn {friend}, {mail}. Danke,
  {mine}
staff: Ist unterwegs. Herr {friend} bekommt sie gleich. {staff}
= Lampe defekt
customer: Die Lampe ({item}) flackert. Mein Bruder {relative} ist Elektriker und sagt, es liegt am
  Transformator. Er erklärt es Ihnen gern: {phone}.
staff: Danke, {me}. {colleague} aus unserer Werkstatt ruft Ihren Bruder heute an.
note: {colleague} hat mit {relative} gesprochen, Garantiefall.
= Adresse geändert
customer: Ich bin umgezogen. Bitte löschen Sie die alte Lieferadresse bei {relative}. Meine Nummer bleibt
  {own_phone}. {mine}
staff: Erledigt. {staff}
= Frage zur Pflege
customer: Kann {item} in die Spülmaschine?
staff: Lieber nicht, von Hand hält es länger. {staff}
""")

THREADS_FR: Final = _threads("""
= Colis remis à un inconnu
customer: Bonjour, le livreur {courier} a remis ma commande {order} à un certain {neighbour}, {place}, que je ne
  connais pas. Son numéro serait le {phone}. Cordialement, {mine}
staff: Bonjour {me}, je suis désolée. J'appelle {neighbour} et le transporteur. {staff}
note: {neighbour} a le colis, passe le déposer demain chez la cliente.
customer: Merci, {neighbour} est venu hier avec le colis.
= Facture
customer: Pouvez-vous envoyer la facture de {order} à ma comptable, Mme {friend}, {mail} ? Merci. {mine}
staff: C'est fait. {staff}
= Cadeau pour ma sœur
customer: Le cadeau pour ma sœur {relative} est arrivé cassé ({item}). Elle est joignable au {phone}. {me}
staff: Nous en renvoyons un aujourd'hui, {me}. {colleague} s'en occupe.
""")

BY_LANGUAGE: Final = {"de": THREADS_DE, "fr": THREADS_FR}

LUC_THREAD: Final = _threads("""
= Parcel thrown over the fence
customer: Dear team, my parcel {order} was thrown over the fence and hit the greenhouse of my neighbour Hervé
  Colombier (+33199001742, herve.colombier@example.net). He has photographs. The courier, Aurélien Mercadier,
  shrugged it off. Luc Desmarets, luc.desmarets@example.org
staff: Dear Mr Desmarets, I am very sorry. May I ask Mr Colombier for the photographs directly? {staff}
customer: Yes, call him after six. His wife Odile Colombier knows about it too. My own number is {own_phone}.
note: Spoke to Hervé Colombier: one pane, 85 euros, bank details by mail. He had a knee operation and is at
  home. Colleague Milena Kovac handles the insurance.
staff: Dear Mr Desmarets, the pane is paid for, and Aurélien Mercadier will not deliver in your street any more.
  {staff}
""")[0]
"""The thread behind the guided first request: three third parties, one of them with a detail about his health."""

GIULIA_THREAD: Final = _threads("""
= I write for my sister
customer: Good morning, I am Ornella Serafini and write for my sister Giulia Serafini (giulia.serafini@example.net),
  who broke her wrist. The {item} of {order} has a scratch. Please answer to me, ornella.serafini@example.com or
  +33261910375.
staff: Dear Ms Serafini, may we have a word from your sister herself that you may act for her? {staff}
note: Giulia rang from {own_phone} and agreed. Ornella may write for her until the end of the month.
""")[0]
"""A sister acts on behalf of the customer: a third party with a name, a mail address and a number."""

BY_PERSON: Final = {"luc": LUC_THREAD, "giulia": GIULIA_THREAD}

REVIEW_OPENINGS: Final = (
    "Lovely {item}.", "Does what it should.", "Smaller than I thought.", "Third one we own.", "Sehr schöne Arbeit.",
    "Très content de cet achat.", "Not worth the money.", "A present that was well received.", "Solid.", "Prachtig.",
)  # fmt: skip
REVIEW_MIDDLES: Final = (
    "My neighbour {neighbour} bought the same one after seeing it.",
    "My wife {relative} uses it every day.",
    "{friend} recommended it to me.",
    "The colour is warmer than in the picture.",
    "Delivery took three days.",
    "Die Verarbeitung ist sauber, nur die Verpackung war zu groß.",
    "La finition est parfaite.",
    "{staff} from the service team helped me choose.",
    "After a year it still looks like new.",
    "Write to me at {own_mail} if you want to see photographs.",
    "Ring me on {own_phone}, I sell mine again.",
)
REVIEW_CLOSINGS: Final = (
    "Would buy again.",
    "Thanks!",
    "Gern wieder.",
    "À recommander.",
    "",
    "",
    "Four stars because of the box.",
)
REVIEW_TITLES: Final = (
    "Beautiful",
    "Good value",
    "As described",
    "Disappointed",
    "Schön",
    "Très bien",
    "Never again",
    "A keeper",
)
