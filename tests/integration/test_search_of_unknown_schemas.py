"""The search on schemas it has never seen: other languages, other habits, and strangers who must not be touched."""

from pathlib import Path

import pytest

from tests.searching import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop.db")


GERMAN = """
CREATE TABLE Kunden (KundenNr INTEGER PRIMARY KEY, Vorname TEXT, Nachname TEXT, EMail TEXT, Telefon TEXT,
  AnschriftId INTEGER {adr}, BetreuerId INTEGER {mit});
CREATE TABLE Anschriften (AnschriftId INTEGER PRIMARY KEY, Strasse TEXT, PLZ TEXT, Ort TEXT);
CREATE TABLE Mitarbeiter (MitarbeiterId INTEGER PRIMARY KEY, Vorname TEXT, Nachname TEXT, EMail TEXT,
  VorgesetzterId INTEGER {mit});
CREATE TABLE Filialen (FilialeId INTEGER PRIMARY KEY, Bezeichnung TEXT, AnschriftId INTEGER {adr},
  LeiterId INTEGER {mit});
CREATE TABLE Bestellungen (BestellNr INTEGER PRIMARY KEY, KundenNr INTEGER {kun}, BearbeiterId INTEGER {mit},
  FilialeId INTEGER {fil}, Bestelldatum TEXT, Gesamtbetrag NUMERIC);
CREATE TABLE Positionen (BestellNr INTEGER {bes}, PosNr INTEGER, ArtikelId INTEGER {art}, Menge INTEGER,
  PRIMARY KEY (BestellNr, PosNr));
CREATE TABLE Artikel (ArtikelId INTEGER PRIMARY KEY, Bezeichnung TEXT, Preis NUMERIC);
INSERT INTO Anschriften VALUES (501,'Lindenweg 4','70174','Stuttgart'),(502,'Am Markt 1','20095','Hamburg'),
  (503,'Hafenstr. 9','20457','Hamburg');
INSERT INTO Mitarbeiter VALUES (31,'Ines','Vogt','ines.vogt@laden.example',NULL),
  (32,'Jonas','Lang','jonas.lang@laden.example',31);
INSERT INTO Kunden VALUES (4001,'Jürgen','Köhler','J.Koehler@Example.org','+49 711 5550101',501,32),
  (4002,'Jürgen','Köhler','jk2@example.net','+49 40 5550102',502,32),
  (4003,'Petra','Lang','petra@example.com','+49 40 5550103',503,31);
INSERT INTO Filialen VALUES (7,'Hamburg Mitte',502,31);
INSERT INTO Bestellungen VALUES (9001,4001,31,7,'2026-01-02',30),(9002,4002,31,7,'2026-01-03',31),
  (9003,4001,32,7,'2026-02-02',12),(9004,4003,32,7,'2026-02-03',9);
INSERT INTO Artikel VALUES (81,'Köhler Grillkohle',9),(82,'Lampe',20);
INSERT INTO Positionen VALUES (9001,1,81,2),(9001,2,82,1),(9002,1,82,1),(9003,1,81,1),(9004,1,82,3);
"""
KEYS = {
    "adr": "REFERENCES Anschriften(AnschriftId)",
    "mit": "REFERENCES Mitarbeiter(MitarbeiterId)",
    "kun": "REFERENCES Kunden(KundenNr)",
    "fil": "REFERENCES Filialen(FilialeId)",
    "bes": "REFERENCES Bestellungen(BestellNr)",
    "art": "REFERENCES Artikel(ArtikelId)",
}
JUERGEN = {
    ("Kunden", "4001"), ("Anschriften", "501"), ("Bestellungen", "9001"), ("Bestellungen", "9003"),
    ("Positionen", "9001/1"), ("Positionen", "9001/2"), ("Positionen", "9003/1"),
}  # fmt: skip


@pytest.fixture(params=["declared", "undeclared"])
def german(request: pytest.FixtureRequest, shop: Shop) -> Shop:
    keys = KEYS if request.param == "declared" else dict.fromkeys(KEYS, "")
    return shop.holds(GERMAN.format(**keys))


def test_a_german_shop_gives_all_of_a_customer_and_nothing_of_his_namesake(german: Shop) -> None:
    assert german.search(email="j.koehler@example.org", name="Jürgen Köhler").rows() == JUERGEN


def test_an_address_that_a_branch_uses_too_is_left_to_a_person(german: Shop) -> None:
    found = german.search(email="jk2@example.net")
    assert ("Anschriften", "502") not in found.rows()
    assert ("Anschriften", "502") in found.rows("candidate")


def test_a_clerk_gets_his_own_row_and_only_the_pointing_cells_of_others(shop: Shop) -> None:
    found = shop.holds(GERMAN.format(**KEYS)).search(email="jonas.lang@laden.example")
    assert found.rows() == {("Mitarbeiter", "32")}
    assert found.rows("pointer") == {
        ("Kunden", "4001"), ("Kunden", "4002"), ("Bestellungen", "9003"), ("Bestellungen", "9004"),
    }  # fmt: skip
    assert found.fields("Kunden", 4001) == {"BetreuerId"}
    assert found.fields("Bestellungen", 9003) == {"BearbeiterId"}


FRENCH = """
CREATE TABLE clients (id INTEGER PRIMARY KEY, nom TEXT, prenom TEXT, courriel TEXT, parrain_id INTEGER
  REFERENCES clients(id));
CREATE TABLE vendeurs (id INTEGER PRIMARY KEY, nom TEXT, prenom TEXT, courriel TEXT);
CREATE TABLE produits (id INTEGER PRIMARY KEY, nom TEXT, prix NUMERIC);
CREATE TABLE commandes (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients(id),
  vendeur_id INTEGER REFERENCES vendeurs(id), total NUMERIC);
CREATE TABLE lignes_commande (id INTEGER PRIMARY KEY, commande_id INTEGER REFERENCES commandes(id),
  produit_id INTEGER REFERENCES produits(id), quantite INTEGER);
CREATE TABLE avis (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients(id),
  produit_id INTEGER REFERENCES produits(id), texte TEXT);
CREATE TABLE abonnes_lettre (id INTEGER PRIMARY KEY, adresse_mail TEXT, inscrit_le TEXT);
INSERT INTO clients VALUES (1,'Dubois','Claire','claire.dubois@example.org',NULL),
  (2,'Dubois','Claire','c.dubois@example.net',1),(3,'Martin','Paul','paul@example.com',1);
INSERT INTO vendeurs VALUES (1,'Petit','Luc','luc@boutique.example');
INSERT INTO produits VALUES (1,'Sac Dubois',10),(2,'Chaise',20);
INSERT INTO commandes VALUES (1,1,1,10),(2,2,1,20),(3,3,1,30),(4,1,1,5);
INSERT INTO lignes_commande VALUES (1,1,1,1),(2,2,2,1),(3,3,1,2),(4,4,2,1);
INSERT INTO avis VALUES (1,1,1,'Très bien'),(2,3,1,'Je le dis comme Claire Dubois : parfait, vraiment');
INSERT INTO abonnes_lettre VALUES (1,'Claire.Dubois@Example.org','2025-01-01'),(2,'paul@example.com','2025-01-02');
"""


def test_a_french_shop_gives_orders_lines_reviews_and_the_newsletter_entry(shop: Shop) -> None:
    found = shop.holds(FRENCH).search(email="claire.dubois@example.org", name="Claire Dubois")
    assert found.rows() == {
        ("clients", "1"), ("commandes", "1"), ("commandes", "4"), ("lignes_commande", "1"), ("lignes_commande", "4"),
        ("avis", "1"), ("abonnes_lettre", "1"),
    }  # fmt: skip


def test_people_she_recruited_are_pointers_and_a_review_that_names_her_is_a_candidate(shop: Shop) -> None:
    found = shop.holds(FRENCH).search(email="claire.dubois@example.org", name="Claire Dubois")
    assert found.rows("pointer") == {("clients", "2"), ("clients", "3")}
    assert found.rows("candidate") == {("avis", "2")}


def test_a_row_of_another_person_keeps_everything_but_its_pointing_cell(shop: Shop) -> None:
    found = shop.holds(FRENCH).search(email="claire.dubois@example.org")
    assert all(
        one.fields == ("parrain_id",) and set(one.values) == {"parrain_id"}
        for one in found.findings
        if one.tier.value == "pointer"
    )


def test_composite_keys_are_compared_as_a_whole(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE Accounts (TenantId INTEGER, AccountNo INTEGER, FullName TEXT, Email TEXT,
          PRIMARY KEY (TenantId, AccountNo));
        CREATE TABLE Purchases (TenantId INTEGER, PurchaseNo INTEGER, AccountNo INTEGER, Amount NUMERIC,
          PRIMARY KEY (TenantId, PurchaseNo),
          FOREIGN KEY (TenantId, AccountNo) REFERENCES Accounts(TenantId, AccountNo));
        CREATE TABLE PurchaseLines (TenantId INTEGER, PurchaseNo INTEGER, LineNo INTEGER, Sku TEXT,
          PRIMARY KEY (TenantId, PurchaseNo, LineNo),
          FOREIGN KEY (TenantId, PurchaseNo) REFERENCES Purchases(TenantId, PurchaseNo));
        INSERT INTO Accounts VALUES (1,10,'Ana Silva','ana@example.org'),(2,10,'Bob Ray','bob@example.org'),
          (1,11,'Cem Ak','cem@example.org');
        INSERT INTO Purchases VALUES (1,500,10,9),(2,500,10,8),(1,501,11,7);
        INSERT INTO PurchaseLines VALUES (1,500,1,'a'),(2,500,1,'b'),(1,501,1,'c');
    """).search(email="ana@example.org")
    assert found.rows() == {("Accounts", "1/10"), ("Purchases", "1/500"), ("PurchaseLines", "1/500/1")}


MESSAGES = """
CREATE TABLE members (id INTEGER PRIMARY KEY, username TEXT, password_hash TEXT, email TEXT UNIQUE);
CREATE TABLE messages (id INTEGER PRIMARY KEY, sender_id INTEGER REFERENCES members(id),
  recipient_id INTEGER REFERENCES members(id), body TEXT);
CREATE TABLE posts (id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES members(id), title TEXT, content TEXT);
CREATE TABLE replies (id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES posts(id),
  parent_id INTEGER REFERENCES replies(id), member_id INTEGER REFERENCES members(id), content TEXT);
CREATE TABLE friendships (member_a INTEGER REFERENCES members(id), member_b INTEGER REFERENCES members(id),
  since TEXT, PRIMARY KEY (member_a, member_b));
INSERT INTO members VALUES (1,'ann','x','ann@example.org'),(2,'ben','y','ben@example.org'),
  (3,'cat','z','cat@example.org');
INSERT INTO messages VALUES (1,1,2,'hello'),(2,2,1,'hi back'),(3,2,3,'other');
INSERT INTO posts VALUES (1,1,'Mine','text'),(2,2,'His','text');
INSERT INTO replies VALUES (1,1,NULL,2,'his answer'),(2,1,1,1,'my answer'),(3,2,NULL,1,'mine there'),
  (4,2,3,2,'his on mine');
INSERT INTO friendships VALUES (1,2,'2020-01-01'),(2,3,'2020-01-02');
"""


def test_what_others_wrote_below_her_post_is_theirs(shop: Shop) -> None:
    found = shop.holds(MESSAGES).search(email="ann@example.org")
    assert found.rows() == {
        ("members", "1"), ("messages", "1"), ("posts", "1"), ("replies", "2"), ("replies", "3"),
    }  # fmt: skip
    assert {("replies", "1"), ("replies", "4")} <= found.contradicted


def test_a_message_to_her_is_a_pointer(shop: Shop) -> None:
    found = shop.holds(MESSAGES).search(email="ann@example.org")
    assert found.fields("messages", 2) == {"recipient_id"}


def test_a_row_that_only_ties_two_people_gives_her_own_cell(shop: Shop) -> None:
    found = shop.holds(MESSAGES).search(email="ann@example.org")
    assert found.fields("friendships", "1/2") == {"member_a"}
    assert ("friendships", "2/3") not in found.rows("pointer")


def test_a_cycle_between_people_and_addresses_ends(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE shoppers (id INTEGER PRIMARY KEY, full_name TEXT, email TEXT,
          default_address_id INTEGER REFERENCES shopper_addresses(id));
        CREATE TABLE shopper_addresses (id INTEGER PRIMARY KEY, shopper_id INTEGER REFERENCES shoppers(id),
          street TEXT, city TEXT);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, shopper_id INTEGER REFERENCES shoppers(id),
          ship_address_id INTEGER REFERENCES shopper_addresses(id),
          latest_payment_id INTEGER REFERENCES payments(id), total NUMERIC);
        CREATE TABLE payments (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders(id), amount NUMERIC);
        INSERT INTO shoppers VALUES (1,'Eva Stone','eva@example.org',11),(2,'Finn Ode','finn@example.org',12);
        INSERT INTO shopper_addresses VALUES (11,1,'A 1','X'),(12,2,'B 2','Y'),(13,1,'C 3','Z');
        INSERT INTO orders VALUES (21,1,11,31,5),(22,2,13,32,6),(23,1,13,NULL,7);
        INSERT INTO payments VALUES (31,21,5),(32,22,6);
    """).search(email="eva@example.org")
    assert found.rows() == {
        ("shoppers", "1"), ("shopper_addresses", "11"), ("shopper_addresses", "13"), ("orders", "21"),
        ("orders", "23"), ("payments", "31"),
    }  # fmt: skip
    assert ("orders", "22") in found.contradicted


GUESTS = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT, phone TEXT);
CREATE TABLE sales (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), contact_email TEXT,
  contact_phone TEXT, recipient_name TEXT, total NUMERIC);
CREATE TABLE sale_items (id INTEGER PRIMARY KEY, sale_id INTEGER REFERENCES sales(id), sku TEXT, qty INTEGER);
CREATE TABLE callbacks (id INTEGER PRIMARY KEY, phone TEXT, caller_name TEXT, note TEXT);
CREATE TABLE leads (lead_no INTEGER PRIMARY KEY, mail TEXT, source TEXT);
INSERT INTO customers VALUES (1,'Maya','Iyer','maya@example.org','+1 202-555-0143'),
  (2,'Maya','Iyer','maya.iyer@example.net','+1 202-555-0199'),(3,'Ravi','Iyer','ravi@example.org','+1 202-555-0143');
INSERT INTO sales VALUES (1,1,'maya@example.org',NULL,'Maya Iyer',10),
  (2,NULL,'MAYA@EXAMPLE.ORG','(202) 555-0143','M. Iyer',11),(3,NULL,'maya+sale@example.org',NULL,'Maya Iyer',12),
  (4,2,'maya@example.org',NULL,'Maya Iyer',13),(5,NULL,'maya.x@example.org',NULL,'Maya Iyer',14),
  (6,NULL,NULL,'2025550143','Ravi Iyer',15),(7,NULL,'new@example.com','202 555 0143','Maya Iyer',16);
INSERT INTO sale_items VALUES (1,1,'a',1),(2,2,'b',1),(3,3,'c',1),(4,4,'d',1),(5,5,'e',1),(6,6,'f',1),(7,7,'g',1);
INSERT INTO callbacks VALUES (1,'202-555-0143','Maya Iyer','wants an offer'),(2,'202-555-0199','Maya Iyer','other');
INSERT INTO leads VALUES (71,'maya@example.org','fair'),(72,'ravi@example.org','fair');
"""


def test_guest_orders_are_found_by_every_spelling_of_the_mailbox(shop: Shop) -> None:
    found = shop.holds(GUESTS).search(email="maya@example.org", name="Maya Iyer", phone="+1 202-555-0143")
    assert found.rows() == {
        ("customers", "1"), ("sales", "1"), ("sales", "2"), ("sales", "3"), ("sale_items", "1"), ("sale_items", "2"),
        ("sale_items", "3"), ("leads", "71"),
    }  # fmt: skip


def test_phone_and_name_together_make_a_candidate_and_no_more(shop: Shop) -> None:
    found = shop.holds(GUESTS).search(email="maya@example.org", name="Maya Iyer", phone="+1 202-555-0143")
    assert {("sales", "7"), ("callbacks", "1")} <= found.rows("candidate")
    assert ("sales", "6") not in found.rows("candidate")
    assert ("callbacks", "2") not in found.rows("candidate")


def test_an_order_of_another_customer_with_her_address_contradicts(shop: Shop) -> None:
    found = shop.holds(GUESTS).search(email="maya@example.org", name="Maya Iyer")
    assert ("sales", "4") in found.contradicted
    assert ("sale_items", "4") not in found.rows()


def test_a_shared_phone_alone_is_a_doubt_and_shows_nothing(shop: Shop) -> None:
    found = shop.holds(GUESTS).search(phone="+1 202 555 0143")
    assert found.state.doubt is not None
    assert found.findings == ()


def test_a_shared_phone_with_a_name_singles_out_one_person(shop: Shop) -> None:
    found = shop.holds(GUESTS).search(phone="+1 202 555 0143", name="Ravi Iyer")
    assert ("customers", "3") in found.rows()
    assert ("customers", "1") not in found.rows() | found.rows("candidate")


def test_one_person_under_login_and_customer_is_followed_through_a_unique_key(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE auth_users (id INTEGER PRIMARY KEY, login TEXT, password TEXT, email TEXT);
        CREATE TABLE buyers (id INTEGER PRIMARY KEY, user_id INTEGER UNIQUE REFERENCES auth_users(id),
          first_name TEXT, last_name TEXT, phone TEXT);
        CREATE TABLE carts (id INTEGER PRIMARY KEY, buyer_id INTEGER REFERENCES buyers(id), total NUMERIC);
        CREATE TABLE sessions (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES auth_users(id), ip TEXT);
        INSERT INTO auth_users VALUES (5,'gil','x','gil@example.org'),(6,'hal','y','hal@example.org');
        INSERT INTO buyers VALUES (15,5,'Gil','Orr','+1 202-555-0111'),(16,6,'Hal','Orr','+1 202-555-0112');
        INSERT INTO carts VALUES (25,15,1),(26,16,2);
        INSERT INTO sessions VALUES (35,5,'192.0.2.1'),(36,6,'192.0.2.2');
    """).search(email="gil@example.org")
    assert found.rows() == {("auth_users", "5"), ("buyers", "15"), ("carts", "25"), ("sessions", "35")}


def test_a_product_that_remembers_its_last_order_is_not_followed(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients(id), total NUMERIC);
        CREATE TABLE goods (id INTEGER PRIMARY KEY, title TEXT, last_order_id INTEGER REFERENCES orders(id),
          created_by INTEGER REFERENCES clients(id));
        INSERT INTO clients VALUES (1,'Iris Poe','iris@example.org'),(2,'Jan Roe','jan@example.org');
        INSERT INTO orders VALUES (1,1,3),(2,2,4);
        INSERT INTO goods VALUES (1,'Lamp',1,2),(2,'Chair',2,1);
    """).search(email="iris@example.org")
    assert found.rows() == {("clients", "1"), ("orders", "1")}
    assert found.fields("goods", 2) == {"created_by"}


def test_the_carrier_of_a_parcel_is_not_its_owner(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
        CREATE TABLE carriers (id INTEGER PRIMARY KEY, name TEXT, email TEXT, phone TEXT);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id));
        CREATE TABLE parcels (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders(id),
          carrier_id INTEGER REFERENCES carriers(id), tracking TEXT);
        INSERT INTO customers VALUES (1,'Kim Day','kim@example.org'),(2,'Lea Day','lea@example.org');
        INSERT INTO carriers VALUES (1,'Fast Ltd','desk@carrier.example','+1 202-555-0150');
        INSERT INTO orders VALUES (1,1),(2,2);
        INSERT INTO parcels VALUES (1,1,1,'T1'),(2,2,1,'T2');
    """).search(email="kim@example.org")
    assert found.rows() == {("customers", "1"), ("orders", "1"), ("parcels", "1")}


def test_yearly_tables_inherit_the_links_of_the_one_that_declares_them(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE guests (guest_id INTEGER PRIMARY KEY, full_name TEXT, email TEXT);
        CREATE TABLE stays_2024 (stay_no INTEGER PRIMARY KEY, occupant INTEGER REFERENCES guests(guest_id),
          nights INTEGER);
        CREATE TABLE stays_2025 (stay_no INTEGER PRIMARY KEY, occupant INTEGER, nights INTEGER);
        INSERT INTO guests VALUES (71,'Mo Orr','mo@example.org'),(72,'Nia Orr','nia@example.org');
        INSERT INTO stays_2024 VALUES (1,71,2),(2,72,3);
        INSERT INTO stays_2025 VALUES (3,71,1),(4,72,1);
    """).search(email="mo@example.org")
    assert found.rows() == {("guests", "71"), ("stays_2024", "1"), ("stays_2025", "3")}


FORUM = """
CREATE TABLE threads (id INTEGER PRIMARY KEY, title TEXT, body TEXT, created_by TEXT);
CREATE TABLE posts (id INTEGER PRIMARY KEY, thread_id INTEGER REFERENCES threads(id), body TEXT, created_by TEXT);
CREATE TABLE likes (id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES posts(id), created_by TEXT);
CREATE TABLE tickets (id INTEGER PRIMARY KEY, customer_email TEXT, description TEXT, created_by TEXT);
INSERT INTO threads VALUES (1,'Tents','Which tent keeps out the rain for a whole week?','lena@example.com'),
  (2,'Stoves','My stove goes out whenever the wind blows, is that normal?','omar@example.net');
INSERT INTO posts VALUES (11,1,'Mine kept dry on the coast for nine days.','omar@example.net'),
  (12,2,'Turn it so that the valve looks away from the wind.','lena@example.com');
INSERT INTO likes VALUES (21,12,'omar@example.net'),(22,11,'lena@example.com');
INSERT INTO tickets VALUES (31,'omar@example.net','The parcel came without the pegs we ordered.','lena@example.com');
"""


def test_whose_a_text_without_an_owner_is_that_she_wrote_a_person_decides(shop: Shop) -> None:
    found = shop.holds(FORUM).search(email="lena@example.com")
    assert found.rows("candidate") == {("threads", "1"), ("posts", "12")}
    assert found.rows() == set()


def test_what_she_wrote_down_for_a_customer_is_the_customers(shop: Shop) -> None:
    found = shop.holds(FORUM).search(email="lena@example.com")
    assert {("likes", "22"), ("tickets", "31")} == found.rows("pointer")
    assert found.fields("tickets", 31) == {"created_by"}


def test_a_text_by_key_of_its_writer_is_left_to_a_person_too(shop: Shop) -> None:
    shop.holds("""
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, name TEXT);
    CREATE TABLE posts (id INTEGER PRIMARY KEY, body TEXT, created_by INTEGER REFERENCES users(id));
    INSERT INTO users VALUES (1,'lena@example.com','Lena Roth'),(2,'omar@example.net','Omar Said');
    INSERT INTO posts VALUES (11,'Mine kept dry on the coast for nine days.',2),
      (12,'Turn it so that the valve looks away from the wind.',1);
    """)
    found = shop.search(email="lena@example.com")
    assert found.rows() == {("users", "1")}
    assert found.rows("candidate") == {("posts", "12")}


def test_an_address_in_one_column_goes_with_the_customer_whose_alone_it_is(shop: Shop) -> None:
    shop.holds("""
    CREATE TABLE addresses (address_id INTEGER PRIMARY KEY, address_details TEXT);
    CREATE TABLE customers (customer_id INTEGER PRIMARY KEY, customer_email TEXT, address_id INTEGER NOT NULL);
    INSERT INTO addresses VALUES (3,'3 Example Road, Springfield'),(4,'4 Example Road, Springfield'),
      (5,'5 Example Road, Springfield');
    INSERT INTO customers VALUES (31,'lena@example.com',3),(32,'omar@example.net',4),(33,'mia@example.org',4);
    """)
    assert shop.search(email="lena@example.com").rows() == {("customers", "31"), ("addresses", "3")}
    assert ("addresses", "4") not in shop.search(email="omar@example.net").rows()


def test_the_key_of_an_employee_is_her_own_column(shop: Shop) -> None:
    shop.holds("""
    CREATE TABLE Employees (EmployeeID INTEGER PRIMARY KEY, FirstName TEXT, LastName TEXT, HomePhone TEXT);
    CREATE TABLE Customers (CustomerID TEXT PRIMARY KEY, ContactName TEXT, Phone TEXT);
    CREATE TABLE Orders (OrderID INTEGER PRIMARY KEY, CustomerID TEXT REFERENCES Customers,
      EmployeeID INTEGER REFERENCES Employees);
    INSERT INTO Customers VALUES ('AAAAA','Ada Falk','+49 30 5550110'),('BBBBB','Bo Rask','+49 30 5550111');
    INSERT INTO Employees VALUES (1,'Lena','Roth','+49 30 5550100'),(2,'Omar','Said','+49 30 5550101');
    INSERT INTO Orders VALUES (501,'AAAAA',1),(502,'BBBBB',2);
    """)
    found = shop.search(customer_id="1")
    assert found.rows() == {("Employees", "1")}
    assert found.rows("pointer") == {("Orders", "501")}
