"""The words of column and table names, in the languages shops are written in. General vocabulary, no schema.

Words are folded: lower case, no accents. A name is first split (`camelCase`, `snake_case`), so only the glued
forms that splitting cannot see (`firstname`) stand here as one word.
"""

import re
from functools import lru_cache
from typing import Final

from privacyops.domain.identity.person_name import fold


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


EMAIL: Final = _set(
    "email emails mail mailaddress emailaddress emailadresse mailadresse courriel correo epost eposta correio emailid"
)
PHONE: Final = _set(
    "phone phones telephone telefon telefoon telefono telefone tel mobile mobil mobiel movil cell cellphone handy "
    "portable fax telefax phonenumber telefonnummer telefonnr rufnummer handynummer mobilnummer msisdn whatsapp "
    "gsm puhelin komorka komorkowy"
)
FIRST_NAME: Final = _set(
    "firstname forename givenname vorname prenom voornaam fornavn fornamn imie fname primeiro etunimi nombres"
)
LAST_NAME: Final = _set(
    "lastname surname familyname nachname zuname familienname apellido apellidos cognome achternaam efternavn "
    "etternavn efternamn nazwisko sobrenome lname sukunimi"
)
FULL_NAME: Final = _set(
    "fullname displayname realname kundenname customername username_full contactname ansprechpartner"
)
NAME: Final = _set("name names naam navn namn nom nome nombre nazwa bezeichnung libelle")
LOGIN: Final = _set(
    "login username userid_name nickname nick handle screenname benutzername anmeldename pseudo gebruikersnaam"
)
PASSWORD: Final = _set(
    "password passwd pwd passwort kennwort passhash passwordhash pass motdepasse contrasena senha wachtwoord haslo"
)
STREET: Final = _set(
    "street address addressline strasse str adresse anschrift rue calle via straat direccion indirizzo endereco "
    "gate gatuadress housenumber hausnummer adres adresa ulica"
)
CITY: Final = _set(
    "city town ort stadt ville ciudad citta plaats cidade by stad miasto wohnort locality suburb miejscowosc "
    "localidad woonplaats"
)
STATE: Final = _set(
    "state province region district county bundesland provincia provinz departement estado wojewodztwo provincie"
)
POSTCODE: Final = _set(
    "zip zipcode postcode postalcode plz postleitzahl cap cep codepostal postnummer postnr kodpocztowy"
)
COUNTRY: Final = _set("country land pays pais paese nation countrycode laendercode")
BIRTH: Final = _set(
    "birthday birthdate dob birth dateofbirth geburtsdatum geburtstag geboortedatum naissance nacimiento nascita "
    "urodzenia dataurodzenia fechanacimiento"
)
IP: Final = _set("ip ipaddress ipaddr remoteip clientip ipadresse")
BANK: Final = _set("iban bic kontonummer cardnumber creditcard kreditkarte ccnumber accountnumber")
NATIONAL_ID: Final = _set(
    "ssn nationalid passport passportnumber taxid steuernummer ausweisnummer dni bsn nif personnummer cpf pesel nip rut"
)
TEXT: Final = _set(
    "note notes comment comments message body text description subject content remark remarks memo bemerkung "
    "bemerkungen nachricht kommentar notiz beschreibung betreff texte commentaire remarque descripcion comentario "
    "mensaje details uwagi uwaga opis tresc wiadomosc notatka nota observaciones observacion asunto opmerking "
    "opmerkingen bericht omschrijving onderwerp"
)
AMOUNT: Final = _set(
    "amount total price subtotal tax vat discount cost sum fee balance betrag preis summe gesamt rabatt montant "
    "prix importe precio prezzo totaal prijs grandtotal kwota cena suma razem rabat podatek bedrag korting btw "
    "descuento impuesto"
)
QUANTITY: Final = _set("quantity qty menge anzahl quantite cantidad quantita aantal stueckzahl ilosc")
NUMBER: Final = _set("number no nr num numero nummer code reference ref numer")
COMPANY: Final = _set("company firma unternehmen societe empresa azienda bedrijf organisation organization")

NOT_A_VALUE: Final = _set(
    "id ids type kind flag verified verification confirmed valid sent count status template optin optout opt "
    "allowed enabled at on date format provider domain blocked bounced subscribed consent language locale lang "
    "uuid fk"
)
"""A word that turns `email` into something about an e-mail: `email_verified`, `phone_type`, `address_id`."""

KEY_WORDS: Final = _set("id ids key no nr num number ref fk uuid guid pk code nummer numero oid")
"""Words of a column name that only say that it is a key."""

PERSON_TABLE: Final = _set(
    "customer user buyer client member account person people subscriber shopper patient guest contact employee "
    "partner staff agent student tenant driver passenger kunde kundin kunden benutzer nutzer mitglied mitarbeiter "
    "personal personen abonnent besteller utilisateur membre abonne employe salarie acheteur cliente usuario "
    "empleado miembro utente dipendente klant gebruiker medewerker lid brukere bruker anvandare kund klient "
    "uzytkownik admin administrator pracownik pracownicy klienci uzytkownicy czlonek czlonkowie"
)
TABLE: Final = _set("tbl t tb table entity entities data master main info record")
"""Words of a table's name that only say that it is one."""

TENANT: Final = _set("tenant mandant")
"""A lodger, or a shop that uses a program together with others."""

ORGANISATION_TABLE: Final = _set(
    "company organisation organization supplier vendor brand manufacturer carrier shipper courier forwarder "
    "warehouse branch store shop bank publisher merchant firma lieferant hersteller filiale lager "
    "spediteur marke haendler fournisseur marque magasin entrepot transporteur proveedor marca tienda almacen "
    "fornitore marchio negozio leverancier merk winkel dostawca dostawcy producent sklep magazyn oddzial sucursal "
    "filiaal"
)
SATELLITE_TABLE: Final = _set(
    "address profile adresse anschrift addresses profil profiles contact preference preferences setting settings "
    "direccion indirizzo adres endereco lieferadresse rechnungsadresse coordonnees adresy direcciones adressen "
    "adresgegevens"
)
ACTIVITY_TABLE: Final = _set(
    "order invoice payment purchase transaction booking reservation shipment delivery return refund ticket "
    "request case message review rating subscription cart basket quote claim visit session newsletter bestellung "
    "rechnung zahlung auftrag lieferung buchung retoure anfrage bewertung warenkorb commande facture paiement "
    "livraison avis panier pedido factura pago envio ordine fattura pagamento bestelling factuur betaling "
    "zamowienie zamowienia faktura faktury platnosc platnosci wysylka zwrot zwroty reklamacja reklamacje opinia "
    "opinie koszyk koszyki rezerwacja rezerwacje compra venta devolucion devoluciones resena carrito reserva "
    "bestellingen facturen betalingen levering leveringen retour klacht klachten beoordeling beoordelingen "
    "winkelwagen reservering"
)
LOG_TABLE: Final = _set(
    "log logs history audit event events journal trail activity protokoll historie verlauf historique registro "
    "changelog dziennik historia zdarzenie zdarzenia logboek bitacora"
)
COPY_TABLE: Final = _set(
    "archive archived old history backup bak copy deleted trash legacy archiv alt sicherung geloescht papierkorb "
    "ancien sauvegarde antiguo vecchio oud snapshot prev previous archiwum archiwalne kopia archief kopie"
)

OWN: Final = _set(
    "customer user buyer client member account requester from shopper patient subscriber guest owner owned holder "
    "sender author payer purchaser applicant student person passenger tenant consumer kunde kundin kunden "
    "besteller kaeufer benutzer nutzer mitglied inhaber eigentuemer absender utilisateur acheteur membre abonne "
    "expediteur cliente usuario comprador remitente utente mittente klant gebruiker koper afzender uid billing "
    "placed ordered requested submitted bought purchased booked registered nabywca kupujacy zamawiajacy "
    "uzytkownik nadawca autor auteur reporter complainant follower voter rater writer bidder borrower donor "
    "afnemer opdrachtgever"
)
"""Roles of the person a row is about."""

ACCOUNT: Final = _set(
    "user account member owner holder person author uid benutzer nutzer mitglied inhaber utilisateur membre "
    "usuario utente gebruiker autor auteur uzytkownik"
)
"""Roles that a customer or somebody of the shop may have: they give way to a word for a customer in the same row."""

POINT: Final = _set(
    "staff employee agent rep reps representative assignee assigned assign manager managed approver approved "
    "approve created creator updated updater modified modifier changed deleted closed resolved handled handler "
    "clerk cashier supervisor reviewer moderator operator seller salesperson salesman sales processed processor "
    "verified checked cancelled canceled to cc bcc recipient receiver referrer referred inviter editor admin "
    "support responsible reports report boss mentor doctor driver courier supporter consultant advisor gift "
    "mitarbeiter bearbeiter sachbearbeiter vertreter berater verkaeufer betreuer leiter vorgesetzter chef "
    "empfaenger geaendert erstellt angelegt employe vendeur responsable gestionnaire destinataire superieur "
    "conseiller empleado vendedor gerente destinatario dipendente venditore medewerker verkoper beheerder "
    "ontvanger actor pracownik kierownik przelozony sprzedawca odbiorca jefe encargado leidinggevende behandelaar "
    "reported reviewee rated followed blocked mentioned invitee invited target create write modify "
    "friend freund ami amigo amico vriend"
)
"""Roles of somebody who handled the row, or whom it only names."""

_NOT_SOMEBODY: Final = _set(
    "from billing account uid to cc bcc gift support report reports target actor sales placed ordered requested "
    "submitted bought purchased booked registered assign assigned managed approved approve created updated modified "
    "create write modify changed deleted closed resolved handled processed verified checked cancelled canceled "
    "geaendert erstellt angelegt"
)
BY: Final = _set("by par por von durch przez door af av")
"""Words before whoever did it: `opened_by`, `pris_par`."""

MADE: Final = _set(
    "created creator posted written commented uploaded erstellt angelegt verfasst utworzyl creado aangemaakt"
)
"""Roles of whom a text is by: somebody who handled the row, or, where nothing else says whose it is, its author."""

OPENED: Final = _set("opened raised filed lodged eroeffnet ouvert abierto geopend")
"""Roles of who began a case: whose it is, where it is not part of somebody's order."""

STAFF_TABLE: Final = _set(
    "staff employee agent rep representative salesperson clerk operator mitarbeiter personal vertreter verkaeufer "
    "employe salarie vendeur empleado dipendente medewerker admin administrator manager driver courier pracownik "
    "pracownicy"
)
"""Tables of people who work for the shop: a key to them in somebody's row says who handled it."""

SELLER: Final = _set("seller vendor merchant host verkaeufer vendeur vendedor venditore verkoper sprzedawca")
"""Roles of somebody who sells: a clerk beside a customer, and on a marketplace the person whose goods these are."""

SOMEBODY: Final = (OWN | POINT | SELLER) - _NOT_SOMEBODY
"""Roles that only people have, whatever the table of people is called."""

DEED: Final = _set("reviewer referrer inviter reporter rater")
"""Roles that point elsewhere and are its maker's in a table named after the deed: the reviewer of a review."""

RECEIVER: Final = _set("recipient receiver to empfaenger destinataire destinatario ontvanger odbiorca")
"""Roles of whom something is sent to: a third person in an order, and in a list of what was sent whose row it is."""

FILE_TABLE: Final = _set(
    "blob file upload document media attachment asset image datei dokument anhang bild fichier archivo bestand bijlage "
    "plik zalacznik allegato"
)
"""Tables of files: they belong to the row that points at them."""

SEALED: Final = _set("checksum etag crc signature token key session nonce secret csrf")
"""Words of hashes that are none of a person's address."""

RECORD: Final = _set(
    "row record object entity item target resource res rekord rekordu wiersz obiekt registro objeto zeile datensatz "
    "objekt enregistrement objet rij regel riga"
)
"""Words for any row of any table: beside a column that names tables, the key of the row it speaks of."""

PASSING: Final = _set(
    "last latest current recent next previous newest letzte letzter letztes aktuelle aktueller derniere dernier "
    "ultimo ultima laatste ostatni ostatnia ostatnie laatst"
)
"""A key so named points at one of many and says nothing of whose row it stands in: `product.last_order_id`."""

_PARTS: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")


@lru_cache(maxsize=16384)
def words(name: str) -> tuple[str, ...]:
    """The folded words of a name: `shipToEMail_2` gives ship, to, e, mail, 2."""
    return tuple(fold(part) for part in _PARTS.findall(name.replace("ß", "ss")))


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """A word without its plural ending; crude on purpose, both sides of a comparison go through it."""
    for ending, kept in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("ses", "se")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + kept
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def stems(name: str) -> tuple[str, ...]:
    """The stems of a name's words."""
    return tuple(stem(word) for word in words(name))


def same_stem(one: str, other: str) -> bool:
    """Whether two words are one up to a plural ending (`kunde`, `kunden`; `order`, `orders`)."""
    left, right = sorted((stem(one), stem(other)), key=len)
    return left == right or (
        len(left) >= 4 and right.startswith(left) and right[len(left) :] in {"n", "en", "e", "er", "es"}
    )


def is_somebody(parts: tuple[str, ...]) -> bool:
    """Whether the words of a column say that it names a person: `seller_id`, `opened_by`."""
    bare = tuple(part for part in parts if part not in KEY_WORDS)
    return (len(bare) > 1 and bare[-1] in BY) or holds_any(bare[-1:], SOMEBODY)


def is_inflected(one: str, other: str) -> bool:
    """Whether two words differ in their endings only, as cases and plurals do: `pacjenta`, `pacjenci`; crude."""
    left, right = fold(one), fold(other)
    shared = next(
        (at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )
    longest = max(len(left), len(right)) - shared
    return (shared >= 5 and longest <= 3) or (shared >= 4 and longest <= 2)


def is_short_for(short: str, word: str) -> bool:
    """Whether a word may be short for another: its first letters, or two letters of it with the first one."""
    if len(short) >= 3:
        return len(word) >= len(short) + 2 and word.startswith(short)
    return len(short) == 2 and len(word) >= 5 and word[0] == short[0] and short[1] in word[1:]


def holds_any(parts: tuple[str, ...], vocabulary: frozenset[str]) -> bool:
    """Whether one of the words, or its stem, is in the vocabulary."""
    return any(part in vocabulary or stem(part) in vocabulary for part in parts)
