"""The file that names the demo's stores, as an operator would write it, and the two maps it refers to.

The demo reads it, and so does `privacyops dsar find --stores`. Maps say what no database declares: links by
value, and which of two people a row belongs to.
"""

import json
from pathlib import Path
from typing import Final

SHOP_MAP: Final = """\
map: halmwicke-shop
detect: {tables: [customers, orders, ticket_messages, newsletter_subscribers]}
collections:
  customers:
    class: person
    identity: {email: email, phone: phone, customer_id: customer_id, name: [given_name, family_name]}
  staff_users: {class: person, identity: {email: email, phone: phone, name: full_name}}
  addresses: {class: satellite}
  orders:
    class: activity
    identity: {email: guest_email}
    text: [customer_note]
    retain: invoice
  tickets: {class: activity, identity: {email: requester_email}, text: [subject]}
  ticket_messages: {class: detail, text: [body]}
  reviews: {class: activity, text: [title, body]}
  newsletter_subscribers: {class: activity, identity: {email: email}}
  change_log: {class: log}
links:
  - {from: orders.guest_email, to: identity.email, kind: value, ownership: owned}
  - {from: tickets.requester_email, to: identity.email, kind: value, ownership: owned}
  - {from: newsletter_subscribers.email, to: identity.email, kind: value, ownership: owned}
  - from: change_log.row_id
    to: customers.customer_id
    kind: polymorphic
    when: {table_name: customers}
    ownership: owned
  - from: change_log.row_id
    to: addresses.address_id
    kind: polymorphic
    when: {table_name: addresses}
    ownership: owned
  - from: change_log.row_id
    to: orders.order_id
    kind: polymorphic
    when: {table_name: orders}
    ownership: owned
  - {from: customers.account_manager_id, to: staff_users.staff_id, ownership: pointer}
  - {from: orders.picked_by, to: staff_users.staff_id, ownership: pointer}
  - {from: returns.handled_by, to: staff_users.staff_id, ownership: pointer}
  - {from: tickets.assignee_id, to: staff_users.staff_id, ownership: pointer}
  - {from: ticket_messages.author_staff_id, to: staff_users.staff_id, ownership: pointer}
  - {from: change_log.staff_id, to: staff_users.staff_id, ownership: pointer}
  - {from: staff_users.manager_id, to: staff_users.staff_id, ownership: pointer}
"""

ARCHIVE_MAP: Final = """\
map: halmwicke-archive
detect: {tables: [kunde, auftrag, auftrag_pos, beleg, kontakt]}
collections:
  kunde: {class: person, identity: {email: mail, phone: tel, customer_id: kdnr, name: name}}
  auftrag: {class: activity, text: [bemerkung], retain: invoice}
  auftrag_pos: {class: detail}
  beleg: {class: detail, retain: invoice}
  kontakt: {class: activity, text: [text]}
links:
  - {from: auftrag.kd, to: kunde.kdnr, ownership: owned}
  - {from: auftrag_pos.auftrag_nr, to: auftrag.nr, ownership: owned}
  - {from: beleg.auftrag_nr, to: auftrag.nr, ownership: owned}
  - {from: kontakt.bezug_nr, to: kunde.kdnr, kind: polymorphic, when: {bezug: KUNDE}, ownership: owned}
  - {from: kontakt.bezug_nr, to: auftrag.nr, kind: polymorphic, when: {bezug: AUFTRAG}, ownership: owned}
"""


def database_url(path: Path) -> str:
    """The address of a SQLite file."""
    return f"sqlite:///{path.resolve()}"


def stores_toml(folder: Path) -> str:
    """The stores of the demo shop that lies in `folder`, as TOML. Paths are absolute. Addresses of databases are
    secrets elsewhere, so they stand in files of their own here too.
    """
    place = folder.resolve()
    return f"""\
# The demo shop's stores. Written anew with the shop; changes are lost.
rehearsal = true
region = "DE"

[[store]]
name = "shop"
connector = "sql"
url = {_text(f"file:{place / 'shop.url'}")}
folder = {_text(str(place))}
map = {_text(str(place / "shop-map.yaml"))}

[store.policy.invoices]
keep = ["invoice_no", "issued_on", "net_cents", "vat_cents"]
code = "LEGAL_OBLIGATION"
until = "rule:invoice"

[[store]]
name = "archive"
connector = "sql"
url = {_text(f"file:{place / 'archive.url'}")}
folder = {_text(str(place))}
map = {_text(str(place / "archive-map.yaml"))}

[[store]]
name = "documents"
connector = "files"
folder = {_text(str(place / "documents"))}

[[store]]
name = "mailbox"
connector = "files"
folder = {_text(str(place / "mailbox"))}
"""


def _text(value: str) -> str:
    """A TOML basic string; JSON's quoting is a subset of it."""
    return json.dumps(value, ensure_ascii=False)
