"""The search where people deal with people, where names are in no vocabulary, and where frameworks named the tables."""

from pathlib import Path

import pytest

from tests.searching import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop.db")


MARKET = """
CREATE TABLE account (id INTEGER PRIMARY KEY, handle TEXT, legal_name TEXT, email TEXT UNIQUE);
CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE);
CREATE TABLE listing (id INTEGER PRIMARY KEY, seller_id INTEGER NOT NULL REFERENCES account(id), title TEXT);
CREATE TABLE payout (id INTEGER PRIMARY KEY, seller_id INTEGER REFERENCES account(id), iban TEXT, amount NUMERIC);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, buyer_id INTEGER REFERENCES account(id),
  seller_id INTEGER REFERENCES account(id), total NUMERIC);
CREATE TABLE purchase_item (id INTEGER PRIMARY KEY, purchase_id INTEGER REFERENCES purchase(id),
  listing_id INTEGER REFERENCES listing(id), qty INTEGER);
CREATE TABLE review (id INTEGER PRIMARY KEY, purchase_id INTEGER REFERENCES purchase(id),
  author_id INTEGER REFERENCES account(id), about_id INTEGER REFERENCES account(id), body TEXT);
CREATE TABLE rating (id INTEGER PRIMARY KEY, rater_id INTEGER REFERENCES account(id),
  rated_id INTEGER REFERENCES account(id), stars INTEGER, words TEXT);
CREATE TABLE referral (id INTEGER PRIMARY KEY, referrer_id INTEGER REFERENCES account(id), note TEXT, words TEXT,
  more TEXT);
CREATE TABLE dispute (id INTEGER PRIMARY KEY, purchase_id INTEGER REFERENCES purchase(id), reason TEXT);
CREATE TABLE dispute_event (id INTEGER PRIMARY KEY, dispute_id INTEGER REFERENCES dispute(id), author_type TEXT,
  author_id INTEGER, body TEXT);
INSERT INTO account VALUES (11,'ann','Ann Orr','ann@example.org'),(12,'ben','Ben Orr','ben@example.org'),
  (13,'cat','Cat Orr','cat@example.org');
INSERT INTO staff VALUES (1,'Una Ray','una@market.example'),(2,'Vic Ray','vic@market.example');
INSERT INTO listing VALUES (21,11,'Bike'),(22,12,'Lamp'),(23,13,'Coat');
INSERT INTO payout VALUES (31,11,'DE00','9'),(32,12,'DE01','8');
INSERT INTO purchase VALUES (41,11,12,5),(42,12,11,6),(43,13,11,7);
INSERT INTO purchase_item VALUES (51,41,22,1),(52,42,21,1),(53,43,21,1);
INSERT INTO review VALUES (61,41,11,12,'quick'),(62,41,12,11,'paid at once'),(63,42,12,11,'as told');
INSERT INTO rating VALUES (71,11,12,5,'fine to deal with'),(72,13,11,1,'never came to the door');
INSERT INTO referral VALUES (75,11,'a','b','c'),(76,12,'a','b','c');
INSERT INTO dispute VALUES (81,41,'broken'),(82,43,'late');
INSERT INTO dispute_event VALUES (91,81,'Account',11,'it is broken'),(92,81,'Account',12,'it was not'),
  (93,81,'Staff',1,'we look into it'),(94,82,'Staff',2,'we look'),(95,82,'Account',13,'where is it');
"""


def test_who_sells_on_a_marketplace_has_listings_and_payouts_and_no_strangers_purchases(shop: Shop) -> None:
    found = shop.holds(MARKET).search(email="ann@example.org")
    assert found.rows() == {
        ("account", "11"), ("listing", "21"), ("payout", "31"), ("purchase", "41"), ("purchase_item", "51"),
        ("review", "61"), ("rating", "71"), ("referral", "75"), ("dispute", "81"), ("dispute_event", "91"),
        ("dispute_event", "93"),
    }  # fmt: skip
    assert found.fields("purchase", 42) == {"seller_id"}


def test_a_review_is_its_authors_and_only_points_at_whom_it_is_about(shop: Shop) -> None:
    found = shop.holds(MARKET).search(email="ann@example.org")
    assert found.fields("review", 63) == {"about_id"}
    assert found.fields("rating", 72) == {"rated_id"}


def test_what_staff_wrote_below_a_customers_dispute_only_points_at_them(shop: Shop) -> None:
    found = shop.holds(MARKET).search(email="una@market.example")
    assert found.rows() == {("staff", "1")}
    assert found.fields("dispute_event", 93) == {"author_id"}


def test_lines_of_tables_that_begin_with_shop_are_lines_and_no_branches(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE auth_user (id INTEGER PRIMARY KEY, username TEXT, password TEXT, email TEXT);
        CREATE TABLE shop_order (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES auth_user(id), email TEXT);
        CREATE TABLE shop_orderline (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES shop_order(id), sku TEXT);
        INSERT INTO auth_user VALUES (1,'eva','x','eva@example.org'),(2,'fay','y','fay@example.org');
        INSERT INTO shop_order VALUES (11,1,'eva@example.org'),(12,2,'fay@example.org');
        INSERT INTO shop_orderline VALUES (21,11,'a'),(22,12,'b');
    """).search(email="eva@example.org")
    assert found.rows() == {("auth_user", "1"), ("shop_order", "11"), ("shop_orderline", "21")}


def test_orders_in_words_nobody_knows_are_told_from_addresses_by_their_lines(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE asiakas (asiakas_id TEXT PRIMARY KEY, etunimi TEXT, sukunimi TEXT, email TEXT);
        CREATE TABLE tilaus (tilaus_id TEXT PRIMARY KEY, asiakas_id TEXT, email TEXT, street TEXT, tila TEXT);
        CREATE TABLE tilausrivi (tilaus_id TEXT, rivi INTEGER, tuote TEXT, PRIMARY KEY (tilaus_id, rivi));
        INSERT INTO asiakas VALUES ('A01','Aino','Aalto','aino@example.org'),('A02','Eero','Elo','eero@example.org');
        INSERT INTO tilaus VALUES ('T901','A01','aino@example.org','Kuja 1','uusi'),
          ('T902','A02','eero@example.org','Kuja 2','uusi');
        INSERT INTO tilausrivi VALUES ('T901',1,'a'),('T901',2,'b'),('T902',1,'a');
    """).search(email="aino@example.org")
    assert found.rows() == {("asiakas", "A01"), ("tilaus", "T901"), ("tilausrivi", "T901/1"), ("tilausrivi", "T901/2")}


DJANGO = """
CREATE TABLE auth_user (id INTEGER PRIMARY KEY, username TEXT, password TEXT, email TEXT, is_staff INTEGER);
CREATE TABLE django_content_type (id INTEGER PRIMARY KEY, app_label TEXT, model TEXT);
CREATE TABLE django_admin_log (id INTEGER PRIMARY KEY, object_id TEXT, object_repr TEXT,
  content_type_id INTEGER REFERENCES django_content_type(id), user_id INTEGER REFERENCES auth_user(id));
CREATE TABLE shop_order (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES auth_user(id), email TEXT);
CREATE TABLE blobs (id INTEGER PRIMARY KEY, filename TEXT);
CREATE TABLE attachments (id INTEGER PRIMARY KEY, record_type TEXT, record_id INTEGER, note TEXT);
CREATE TABLE changes (id INTEGER PRIMARY KEY, table_name TEXT, row_id INTEGER, old_value TEXT, new_value TEXT);
INSERT INTO auth_user VALUES (1,'eva','x','eva@example.org',0),(2,'fay','y','fay@example.org',0),
  (3,'gus','z','gus@example.org',1);
INSERT INTO django_content_type VALUES (7,'auth','user'),(8,'shop','order');
INSERT INTO shop_order VALUES (11,1,'eva@example.org'),(12,2,'fay@example.org'),(1,2,'fay@example.org');
INSERT INTO django_admin_log VALUES (21,'1','eva',7,3),(22,'11','Order 11',8,3),(23,'1','Order 1',8,3),
  (24,'2','fay',7,3);
INSERT INTO attachments VALUES (31,'User',1,'a'),(32,'Order',11,'b'),(33,'Order',1,'c'),(34,'User',2,'d');
INSERT INTO changes VALUES (41,'auth_user',1,'old','new'),(42,'shop_order',11,'a','b'),(43,'shop_order',1,'a','b');
"""


def test_rows_of_any_table_are_found_by_their_type_in_words_by_key_or_by_the_tables_name(shop: Shop) -> None:
    found = shop.holds(DJANGO).search(email="eva@example.org")
    assert found.rows() == {
        ("auth_user", "1"), ("shop_order", "11"), ("django_admin_log", "21"), ("django_admin_log", "22"),
        ("attachments", "31"), ("attachments", "32"), ("changes", "41"), ("changes", "42"),
    }  # fmt: skip


def test_a_file_goes_with_the_row_that_alone_points_at_it(shop: Shop) -> None:
    shop.holds(DJANGO)
    found = shop.holds("""
        CREATE TABLE storage_blobs (id INTEGER PRIMARY KEY, filename TEXT NOT NULL, checksum TEXT);
        CREATE TABLE storage_attachments (id INTEGER PRIMARY KEY, record_type TEXT, record_id INTEGER,
          blob_id INTEGER NOT NULL REFERENCES storage_blobs(id));
        INSERT INTO storage_blobs VALUES (61,'pass.png','kAFQmDzST7DWlj99KOF/cg=='),
          (62,'logo.png','kAFQmDzST7DWlj99KOF/dg=='),(63,'other.png','kAFQmDzST7DWlj99KOF/eg==');
        INSERT INTO storage_attachments VALUES (71,'User',1,61),(72,'User',1,62),(73,'User',2,62),(74,'User',2,63);
    """).search(email="eva@example.org")
    assert {row for row in found.rows() if row[0] == "storage_blobs"} == {("storage_blobs", "61")}
    assert ("storage_blobs", "62") in found.rows("candidate")


def test_a_log_entry_about_a_customer_only_points_at_who_made_it(shop: Shop) -> None:
    found = shop.holds(DJANGO).search(email="gus@example.org")
    assert found.rows() == {("auth_user", "3")}
    assert found.fields("django_admin_log", 21) == {"user_id"}


def test_the_address_beside_the_key_of_a_clerk_is_the_customers(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE people (people_id TEXT PRIMARY KEY, full_name TEXT, email TEXT);
        CREATE TABLE crew (crew_id TEXT PRIMARY KEY, full_name TEXT, email TEXT);
        CREATE TABLE deals (deal_no TEXT PRIMARY KEY, people_id TEXT, email TEXT, crew_id TEXT, total NUMERIC);
        INSERT INTO people VALUES ('P1','Ina Ott','ina@example.org'),('P2','Jo Ott','jo@example.org'),
          ('P3','Kai Ott','kai@example.org');
        INSERT INTO crew VALUES ('C1','Lou Ray','lou@shop.example'),('C2','Max Ray','max@shop.example');
        INSERT INTO deals VALUES ('D1','P1','ina@example.org','C1',1),('D2','P2','jo@example.org','C2',2),
          ('D3','P3','kai@example.org','C1',3);
    """)
    assert shop.search(email="ina@example.org").rows() == {("people", "P1"), ("deals", "D1")}
    assert ("deals", "D1") not in shop.search(email="lou@shop.example").rows()
    link = next(one for one in found.search(email="jo@example.org").drawn.links if one.to == "crew")
    assert link.confidence >= 0.9


def test_a_uuid_kept_as_bytes_is_the_one_that_is_written_out_elsewhere(shop: Shop) -> None:
    one, two = "0ad3510fc3224ad5b975ea9944e811e3", "a374ed9d71a640b8b43c9826cd1a9291"
    dashed = "0ad3510f-c322-4ad5-b975-ea9944e811e3"
    found = shop.holds(f"""
        CREATE TABLE customer (id BLOB PRIMARY KEY, email TEXT UNIQUE, full_name TEXT);
        CREATE TABLE notes (id INTEGER PRIMARY KEY, subject_type TEXT, subject_id TEXT, body TEXT);
        CREATE TABLE uses (code TEXT, customer_id BLOB REFERENCES customer(id));
        CREATE TABLE batches (id INTEGER PRIMARY KEY, customer_ids TEXT);
        CREATE TABLE plain (id INTEGER PRIMARY KEY, customer_id TEXT, note TEXT);
        INSERT INTO customer VALUES (x'{one}','dora@example.org','Dora Costa'),(x'{two}','d@example.net','Dora Costa');
        INSERT INTO notes VALUES (1,'customer','{dashed}','called'),
          (2,'customer','a374ed9d-71a6-40b8-b43c-9826cd1a9291','called');
        INSERT INTO uses VALUES ('A',x'{one}'),('A',x'{two}');
        INSERT INTO batches VALUES (1,'["{dashed}","a374ed9d-71a6-40b8-b43c-9826cd1a9291"]');
        INSERT INTO plain VALUES (1,'{one}','a'),(2,'{two}','b');
    """).search(email="dora@example.org")  # noqa: S608 - no value from outside
    owned = {name for name, _ in found.rows()}
    assert owned == {"customer", "notes", "uses", "plain"}
    assert len(found.rows()) == 4
    assert found.fields("notes", 1) >= {"body"}
    assert ("batches", "1") in found.rows("pointer") | found.rows("candidate")


def test_whom_a_mail_was_sent_to_owns_the_entry_and_a_present_is_its_givers(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
        CREATE TABLE campaigns (id INTEGER PRIMARY KEY, title TEXT);
        CREATE TABLE sends (id INTEGER PRIMARY KEY, campaign_id INTEGER REFERENCES campaigns(id), recipient TEXT);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id));
        CREATE TABLE presents (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders(id), recipient_email TEXT);
        INSERT INTO customers VALUES (1,'Ida Ray','ida@example.org'),(2,'Jon Ray','jon@example.org');
        INSERT INTO campaigns VALUES (1,'Spring');
        INSERT INTO sends VALUES (11,1,'ida@example.org'),(12,1,'jon@example.org');
        INSERT INTO orders VALUES (21,2);
        INSERT INTO presents VALUES (31,21,'ida@example.org');
    """).search(email="ida@example.org")
    assert found.rows() == {("customers", "1"), ("sends", "11")}
    assert found.fields("presents", 31) == {"recipient_email"}


def test_a_row_with_a_key_that_nobody_understands_is_not_its_clerks(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE account (id INTEGER PRIMARY KEY, handle TEXT, email TEXT);
        CREATE TABLE staff (staff_id INTEGER PRIMARY KEY, name TEXT, email TEXT);
        CREATE TABLE report (id INTEGER PRIMARY KEY, reporter_id INTEGER, staff_id INTEGER, note TEXT);
        CREATE TABLE payslip (id INTEGER PRIMARY KEY, staff_id INTEGER, net NUMERIC);
        INSERT INTO account VALUES (1,'ann','ann@example.org'),(2,'ben','ben@example.org');
        INSERT INTO staff VALUES (901,'Una Ray','una@shop.example'),(902,'Vic Ray','vic@shop.example');
        INSERT INTO report VALUES (11,1,901,'he was rude'),(12,2,902,'she was rude');
        INSERT INTO payslip VALUES (21,901,100),(22,902,200);
    """).search(email="una@shop.example")
    assert found.rows() == {("staff", "901"), ("payslip", "21")}
    assert found.fields("report", 11) == {"staff_id"}
