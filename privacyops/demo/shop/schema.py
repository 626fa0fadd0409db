"""The demo shop's own database, as its web shop would have created it: tables, keys, a view and a trigger.

This is somebody else's schema as far as the product is concerned: it is met through the `sql` connector only.
Some links are declared, some exist only by value: guest orders and newsletter entries by mail address,
tickets by order number, the change log by table name and row number.
"""

from typing import Final

SHOP: Final = """
CREATE TABLE staff_users (
  staff_id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, full_name TEXT NOT NULL, role TEXT NOT NULL,
  phone TEXT, manager_id INTEGER REFERENCES staff_users(staff_id), hired_on TEXT NOT NULL);
CREATE TABLE customers (
  customer_id INTEGER PRIMARY KEY, customer_no TEXT NOT NULL UNIQUE, email TEXT NOT NULL UNIQUE,
  given_name TEXT NOT NULL, family_name TEXT NOT NULL, phone TEXT, birth_date TEXT,
  country TEXT NOT NULL CHECK (length(country) = 2), language TEXT NOT NULL,
  account_manager_id INTEGER REFERENCES staff_users(staff_id),
  password_hash TEXT NOT NULL, marketing_opt_in INTEGER NOT NULL DEFAULT 0, contact TEXT,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL, note TEXT);
CREATE TABLE addresses (
  address_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(customer_id),
  kind TEXT NOT NULL CHECK (kind IN ('billing', 'shipping')), recipient TEXT NOT NULL, street TEXT NOT NULL,
  postcode TEXT NOT NULL, town TEXT NOT NULL, country TEXT NOT NULL, phone TEXT);
CREATE TABLE categories (
  category_id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES categories(category_id),
  name TEXT NOT NULL);
CREATE TABLE products (
  product_id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE,
  category_id INTEGER NOT NULL REFERENCES categories(category_id),
  name TEXT NOT NULL, price_cents INTEGER NOT NULL CHECK (price_cents > 0), weight_g INTEGER NOT NULL);
CREATE TABLE stock (
  product_id INTEGER NOT NULL REFERENCES products(product_id), warehouse TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  counted_on TEXT NOT NULL, PRIMARY KEY (product_id, warehouse));
CREATE TABLE orders (
  order_id INTEGER PRIMARY KEY, order_no TEXT NOT NULL UNIQUE,
  customer_id INTEGER REFERENCES customers(customer_id),
  guest_email TEXT, status TEXT NOT NULL, placed_at TEXT NOT NULL,
  billing_address_id INTEGER REFERENCES addresses(address_id),
  shipping_address_id INTEGER REFERENCES addresses(address_id),
  contact TEXT, total_cents INTEGER NOT NULL, currency TEXT NOT NULL DEFAULT 'EUR', ip_address TEXT,
  user_agent TEXT,
  customer_note TEXT, picked_by INTEGER REFERENCES staff_users(staff_id),
  CHECK (customer_id IS NOT NULL OR guest_email IS NOT NULL));
CREATE TABLE order_lines (
  order_id INTEGER NOT NULL REFERENCES orders(order_id), line_no INTEGER NOT NULL,
  product_id INTEGER NOT NULL REFERENCES products(product_id), quantity INTEGER NOT NULL,
  unit_cents INTEGER NOT NULL,
  engraving TEXT, PRIMARY KEY (order_id, line_no));
CREATE TABLE payments (
  payment_id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders(order_id),
  method TEXT NOT NULL,
  holder TEXT NOT NULL, account_hint TEXT, fingerprint TEXT, amount_cents INTEGER NOT NULL,
  status TEXT NOT NULL,
  paid_at TEXT);
CREATE TABLE shipments (
  shipment_id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders(order_id),
  carrier TEXT NOT NULL,
  tracking_no TEXT NOT NULL, recipient TEXT NOT NULL, address TEXT NOT NULL, left_with TEXT,
  sent_at TEXT NOT NULL,
  delivered_at TEXT);
CREATE TABLE returns (
  return_id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, line_no INTEGER NOT NULL, reason TEXT NOT NULL,
  remark TEXT, handled_by INTEGER REFERENCES staff_users(staff_id), refund_iban TEXT, received_on TEXT,
  FOREIGN KEY (order_id, line_no) REFERENCES order_lines(order_id, line_no));
CREATE TABLE invoices (
  invoice_id INTEGER PRIMARY KEY, invoice_no TEXT NOT NULL UNIQUE,
  order_id INTEGER NOT NULL UNIQUE REFERENCES orders(order_id),
  issued_on TEXT NOT NULL, billing_name TEXT NOT NULL, billing_address TEXT NOT NULL, email_sent_to TEXT,
  net_cents INTEGER NOT NULL, vat_cents INTEGER NOT NULL);
CREATE TABLE carts (
  cart_id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(customer_id),
  session_token TEXT NOT NULL,
  items TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE wish_list_items (
  customer_id INTEGER NOT NULL REFERENCES customers(customer_id),
  product_id INTEGER NOT NULL REFERENCES products(product_id),
  remark TEXT, added_at TEXT NOT NULL, PRIMARY KEY (customer_id, product_id));
CREATE TABLE reviews (
  review_id INTEGER PRIMARY KEY, product_id INTEGER NOT NULL REFERENCES products(product_id),
  customer_id INTEGER REFERENCES customers(customer_id), display_name TEXT NOT NULL,
  rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5),
  title TEXT NOT NULL, body TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE tickets (
  ticket_id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(customer_id),
  requester_email TEXT NOT NULL,
  order_no TEXT, subject TEXT NOT NULL, status TEXT NOT NULL,
  assignee_id INTEGER REFERENCES staff_users(staff_id),
  created_at TEXT NOT NULL, closed_at TEXT);
CREATE TABLE ticket_messages (
  message_id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES tickets(ticket_id),
  written_by TEXT NOT NULL CHECK (written_by IN ('customer', 'staff', 'note')),
  author_staff_id INTEGER REFERENCES staff_users(staff_id), body TEXT NOT NULL, sent_at TEXT NOT NULL);
CREATE TABLE newsletter_subscribers (
  subscriber_id INTEGER PRIMARY KEY, email TEXT NOT NULL, first_name TEXT, source TEXT NOT NULL,
  ip_address TEXT,
  opted_in_at TEXT NOT NULL, confirmed_at TEXT, opted_out_at TEXT);
CREATE TABLE sessions (
  session_id TEXT PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(customer_id),
  ip_address TEXT NOT NULL,
  device TEXT NOT NULL, user_agent TEXT NOT NULL, started_at TEXT NOT NULL,
  minutes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE loyalty_points (
  entry_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(customer_id),
  order_id INTEGER REFERENCES orders(order_id), points INTEGER NOT NULL, reason TEXT NOT NULL,
  booked_at TEXT NOT NULL);
CREATE TABLE change_log (
  entry_id INTEGER PRIMARY KEY, changed_at TEXT NOT NULL, staff_id INTEGER REFERENCES staff_users(staff_id),
  table_name TEXT NOT NULL, row_id INTEGER NOT NULL, change TEXT NOT NULL);
"""

SHOP_AFTER: Final = """
CREATE INDEX addresses_customer ON addresses(customer_id);
CREATE INDEX orders_customer ON orders(customer_id);
CREATE INDEX orders_guest ON orders(guest_email);
CREATE INDEX payments_order ON payments(order_id);
CREATE INDEX shipments_order ON shipments(order_id);
CREATE INDEX tickets_customer ON tickets(customer_id);
CREATE INDEX ticket_messages_ticket ON ticket_messages(ticket_id);
CREATE INDEX sessions_customer ON sessions(customer_id);
CREATE INDEX loyalty_customer ON loyalty_points(customer_id);
CREATE VIEW customer_overview AS
  SELECT c.customer_id, c.email, c.given_name || ' ' || c.family_name AS full_name,
  count(o.order_id) AS orders
  FROM customers c LEFT JOIN orders o ON o.customer_id = c.customer_id GROUP BY c.customer_id;
CREATE TRIGGER customers_touch AFTER UPDATE ON customers FOR EACH ROW WHEN new.updated_at = old.updated_at
  BEGIN UPDATE customers SET updated_at = CURRENT_TIMESTAMP WHERE customer_id = new.customer_id; END;
"""
"""Made after the rows, because building an index once is cheaper than keeping it up to date row by row."""

ARCHIVE: Final = """
CREATE TABLE kunde (kdnr TEXT PRIMARY KEY, name TEXT, mail TEXT, tel TEXT, anschrift TEXT, angelegt TEXT);
CREATE TABLE auftrag (nr TEXT PRIMARY KEY, kd TEXT, am TEXT, betrag REAL, lieferung TEXT, bemerkung TEXT);
CREATE TABLE auftrag_pos (auftrag_nr TEXT, pos INTEGER, artikel TEXT, menge INTEGER, preis REAL);
CREATE TABLE beleg (belegnr TEXT PRIMARY KEY, auftrag_nr TEXT, datum TEXT, empfaenger TEXT, brutto REAL);
CREATE TABLE kontakt (
  id INTEGER PRIMARY KEY, bezug TEXT, bezug_nr TEXT, am TEXT, kanal TEXT, text TEXT, bearbeiter TEXT);
"""
"""The system the shop ran before: German names, no declared key between its tables, one table without any key."""
