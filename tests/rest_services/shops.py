"""Doubles of shops and of a payment provider."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tests.rest_fake import Asked, Told, basic
from tests.rest_services.double import NOT_FOUND, PERSONS, ServiceDouble, paged, same


class Shopify(ServiceDouble):
    """The Admin API in GraphQL. An erasure is queued and redacts when days have gone by."""

    service, main = "shopify", "customer"
    credential = ("x-shopify-access-token", "shpat-of-this-test")
    settings: ClassVar[Mapping[str, Any]] = {"shop": "acme"}
    secrets: ClassVar[Mapping[str, str]] = {"token": "shpat-of-this-test", "client_secret": "app-secret-of-this-test"}
    found: ClassVar[Mapping[str, int]] = {"customer": 1, "order": 60}
    kept: ClassVar[Mapping[str, Sequence[str]]] = {"order": ("email", "phone", "note", "billing", "shipping")}
    writes = "POST /admin/api/2026-10/graphql.json"

    def set_up(self) -> None:
        self.customers: dict[str, dict[str, Any]] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.queued: set[str] = set()
        for at, (email, first, last, phone) in enumerate(PERSONS, start=1):
            name = f"gid://shopify/Customer/{at}"
            self.customers[name] = {
                "id": name, "firstName": first, "lastName": last, "note": None, "tags": [], "createdAt": "2026-01-01",
                "defaultEmailAddress": {"emailAddress": email}, "defaultPhoneNumber": {"phoneNumber": phone},
                "addressesV2": {"nodes": [{"address1": f"{at} High Street", "city": "Sampleton"}]},
            }  # fmt: skip
            for number in range(60 if at == 1 else 1):
                order = f"gid://shopify/Order/{at}{number:03}"
                self.orders[order] = {
                    "id": order, "name": f"#{at}{number:03}", "email": email, "phone": phone, "note": "Ring twice",
                    "createdAt": "2026-02-01", "customer": {"id": name},
                    "billingAddress": {"name": f"{first} {last}"}, "shippingAddress": {"name": f"{first} {last}"},
                }  # fmt: skip
        self.on("POST", "/admin/api/2026-10/graphql.json", self.graphql)

    def graphql(self, asked: Asked) -> Any:
        query, values = asked.body["query"], asked.body.get("variables", {})
        if "customerRequestDataErasure" in query:
            return self.request(values["id"])
        if "customerCancelDataErasure" in query:
            self.queued.discard(values["id"])
            return {"data": {"customerCancelDataErasure": {"customerId": values["id"], "userErrors": []}}}
        if "customers(" in query:
            wanted = re.fullmatch(r'email:"((?:[^"\\]|\\.)*)"', values["q"])
            email = wanted[1].replace('\\"', '"').replace("\\\\", "\\") if wanted else ""
            nodes = [one for one in self.customers.values() if same(self.email(one), email)]
            return {"data": {"customers": {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}}}
        if "orders(" in query:
            return self.orders_of(values)
        if "order(" in query:
            return {"data": {"order": self.orders.get(values["id"])}}
        if "customer(" in query:
            return {"data": {"customer": self.customers.get(values["id"])}}
        return {"data": {"shop": {"id": "gid://shopify/Shop/1"}}}

    def email(self, one: Mapping[str, Any]) -> Any:
        return (one["defaultEmailAddress"] or {}).get("emailAddress")

    def orders_of(self, values: Mapping[str, Any]) -> Any:
        if values["id"] not in self.customers:
            return {"data": {"customer": None}}
        mine = [one for one in self.orders.values() if one["customer"]["id"] == values["id"]]
        start = int(values.get("after") or 0)
        page = {"hasNextPage": start + 50 < len(mine), "endCursor": str(start + 50)}
        return {"data": {"customer": {"orders": {"nodes": mine[start : start + 50], "pageInfo": page}}}}

    def request(self, name: str) -> Any:
        errors = [] if name in self.customers else [{"code": "DOES_NOT_EXIST", "field": "customerId"}]
        if not errors and not self.is_lazy:
            self.queued.add(name)
        return {"data": {"customerRequestDataErasure": {"customerId": name, "userErrors": errors}}}

    def pass_time(self) -> None:
        for name in self.queued:
            self.customers[name].update(
                {"defaultEmailAddress": None, "defaultPhoneNumber": None, "firstName": None, "lastName": None,
                 "addressesV2": {"nodes": []}}
            )  # fmt: skip
            for order in self.orders.values():
                if order["customer"]["id"] == name:
                    order.update({"email": None, "phone": None, "note": None, "billingAddress": None})
                    order["shippingAddress"] = None
        self.queued.clear()

    def holds(self, email: str) -> bool:
        rows = [self.email(one) for one in self.customers.values()] + [one["email"] for one in self.orders.values()]
        return any(same(email, each) for each in rows)


class WooCommerce(ServiceDouble):
    """Customers and orders; the orders stay when the customer goes."""

    service, main = "woocommerce", "customer"
    credential = ("authorization", basic("ck_of_this_test", "cs_of_this_test"))
    settings: ClassVar[Mapping[str, Any]] = {"site": "https://shop.example.com"}
    secrets: ClassVar[Mapping[str, str]] = {"key": "ck_of_this_test", "secret": "cs_of_this_test"}
    found: ClassVar[Mapping[str, int]] = {"customer": 1, "order": 3}
    kept: ClassVar[Mapping[str, Sequence[str]]] = {
        "order": ("billing_email", "billing_phone", "billing_first_name", "billing_last_name", "customer_note")
    }
    writes = "DELETE /wp-json/wc/v3/customers/*"

    def set_up(self) -> None:
        self.customers: dict[int, dict[str, Any]] = {}
        self.orders: dict[int, dict[str, Any]] = {}
        for at, (email, first, last, phone) in enumerate(PERSONS, start=1):
            bill = {"first_name": first, "last_name": last, "email": email, "phone": phone}
            self.customers[at] = {
                "id": at, "email": email, "username": email.split("@")[0], "first_name": first, "last_name": last,
                "billing": dict(bill), "shipping": {},
            }  # fmt: skip
            for number, owner in ((at * 10, at), (at * 10 + 1, at), (at * 10 + 2, 0)):  # the last one as a guest
                self.orders[number] = {
                    "id": number, "customer_id": owner, "number": str(number), "status": "completed", "total": "19.99",
                    "billing": dict(bill), "shipping": {"first_name": first}, "customer_note": "Ring twice",
                    "customer_ip_address": "192.0.2.7", "customer_user_agent": "Browser",
                }  # fmt: skip
        base = "/wp-json/wc/v3"
        self.on("GET", f"{base}/customers", self.customers_listed)
        self.on("GET", f"{base}/customers/{{}}", lambda asked: self.customers.get(int(asked.args[0])) or NOT_FOUND)
        self.on("GET", f"{base}/orders", self.orders_listed)
        self.on("GET", f"{base}/orders/{{}}", lambda asked: self.orders.get(int(asked.args[0])) or NOT_FOUND)
        self.on("DELETE", f"{base}/customers/{{}}", self.delete)
        self.on("PUT", f"{base}/orders/{{}}", self.put)

    def customers_listed(self, asked: Asked) -> Any:
        wanted = asked.query.get("email")
        found = [one for one in self.customers.values() if wanted is None or same(one["email"], wanted)]
        return paged(found, asked)

    def orders_listed(self, asked: Asked) -> Any:
        owner, text = asked.query.get("customer"), asked.query.get("search")
        found = [
            one
            for one in self.orders.values()
            if (owner is None or str(one["customer_id"]) == owner)
            and (text is None or text.split("@")[0].lower() in str(one["billing"]).lower())  # a fuzzy search
        ]
        return paged(found, asked)

    def delete(self, asked: Asked) -> Any:
        if asked.query.get("force") != "true":
            return Told({"code": "woocommerce_rest_trash_not_supported"}, 501)
        number = int(asked.args[0])
        if number not in self.customers:
            return Told({"code": "woocommerce_rest_invalid_id"}, 404)
        return dict(self.customers[number]) if self.is_lazy else self.customers.pop(number)

    def put(self, asked: Asked) -> Any:
        order = self.orders[int(asked.args[0])]
        for name, value in asked.body.items():
            if name in {"customer_ip_address", "customer_user_agent", "id", "number"}:
                return Told({"code": "rest_read_only"}, 400)
            order[name] = {**order[name], **value} if isinstance(value, dict) else value
        return order

    def holds(self, email: str) -> bool:
        rows = [one["email"] for one in self.customers.values()]
        return any(same(email, each) for each in [*rows, *(one["billing"]["email"] for one in self.orders.values())])


class Stripe(ServiceDouble):
    """Customers, charges, payment methods, and redaction jobs in preview."""

    service, main = "stripe", "customer"
    credential = ("authorization", "Bearer sk_of_this_test")
    required: ClassVar[Mapping[str, str]] = {"stripe-version": "2026-06-30.preview"}
    settings: ClassVar[Mapping[str, Any]] = {"api_version": "2026-06-30.preview"}
    secrets: ClassVar[Mapping[str, str]] = {"key": "sk_of_this_test"}
    found: ClassVar[Mapping[str, int]] = {"customer": 1, "charge": 2, "payment_method": 1}
    kept: ClassVar[Mapping[str, Sequence[str]]] = {
        "charge": ("receipt_email", "billing_details"),
        "payment_method": ("billing_details",),
    }
    writes = "POST /v1/privacy/redaction_jobs"

    def set_up(self) -> None:
        self.held: dict[str, dict[str, dict[str, Any]]] = {"customers": {}, "charges": {}, "payment_methods": {}}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.subscriptions: list[dict[str, Any]] = []
        for at, (email, first, last, phone) in enumerate(PERSONS, start=1):
            name = f"cus_{at}"
            common = {"customer": name, "billing_details": {"email": email, "name": f"{first} {last}"}, "created": at}
            self.held["customers"][name] = {
                "id": name, "email": email, "name": f"{first} {last}", "phone": phone, "description": None,
                "address": None, "shipping": None, "metadata": {}, "created": at,
            }  # fmt: skip
            for number in (1, 2):
                charge = f"ch_{at}{number}"
                self.held["charges"][charge] = {
                    **common, "id": charge, "receipt_email": email, "amount": 1999, "currency": "eur",
                    "description": None, "shipping": None,
                }  # fmt: skip
            self.held["payment_methods"][f"pm_{at}"] = {**common, "id": f"pm_{at}", "type": "card"}
        self.on("GET", "/v1/customers", self.by_email)
        self.on("GET", "/v1/customers/search", self.searched)
        self.on("GET", "/v1/charges", lambda asked: self.of("charges", asked.query["customer"], asked))
        self.on("GET", "/v1/subscriptions", lambda asked: self.page([*self.subscriptions], asked))
        for empty in ("invoices", "payment_intents"):
            self.on("GET", f"/v1/{empty}", lambda asked: self.page([], asked))
        self.on(
            "GET", "/v1/customers/{}/payment_methods", lambda asked: self.of("payment_methods", asked.args[0], asked)
        )
        for kind in self.held:
            self.on("GET", f"/v1/{kind}/{{}}", lambda asked, kind=kind: self.one(kind, asked))
        self.on("POST", "/v1/privacy/redaction_jobs", self.made)
        self.on("GET", "/v1/privacy/redaction_jobs/{}", self.looked)
        self.on("POST", "/v1/privacy/redaction_jobs/{}/run", self.run)

    def one(self, kind: str, asked: Asked) -> Any:
        return self.held[kind].get(asked.args[0]) or Told({"error": {"code": "resource_missing"}}, 404)

    def page(self, rows: list[dict[str, Any]], asked: Asked) -> Any:
        names = [row["id"] for row in rows]
        start = names.index(asked.query["starting_after"]) + 1 if "starting_after" in asked.query else 0
        return {"object": "list", "data": rows[start : start + 1], "has_more": start + 1 < len(rows)}

    def by_email(self, asked: Asked) -> Any:
        wanted = asked.query.get("email")  # the list compares letter by letter
        return self.page([one for one in self.held["customers"].values() if wanted in {None, one["email"]}], asked)

    def searched(self, asked: Asked) -> Any:
        wanted = asked.query["query"].removeprefix('email:"').removesuffix('"')
        rows = [one for one in self.held["customers"].values() if same(one["email"], wanted)]
        return {"object": "search_result", "data": rows, "has_more": False, "next_page": None}

    def of(self, kind: str, customer: str, asked: Asked) -> Any:
        return self.page([one for one in self.held[kind].values() if one["customer"] == customer], asked)

    def made(self, asked: Asked) -> Any:
        name = f"prj_{len(self.jobs) + 1}"
        self.jobs[name] = {"id": name, "status": "created", "ids": asked.body["objects[customers][]"]}
        return self.jobs[name]

    def looked(self, asked: Asked) -> Any:
        job = self.jobs[asked.args[0]]
        follows = {"created": "validating", "validating": "ready", "redacting": "succeeded"}
        job["status"] = follows.get(job["status"], job["status"])
        if job["status"] == "succeeded" and not self.is_lazy:
            self.redact(job["ids"])
        return job

    def redact(self, ids: Sequence[str]) -> None:
        for name in ids:
            self.held["customers"][name].update({"email": None, "name": None, "phone": None})
            for kind in ("charges", "payment_methods"):
                for row in self.held[kind].values():
                    if row["customer"] == name:
                        row["billing_details"] = {}
                        row["receipt_email"] = None

    def run(self, asked: Asked) -> Any:
        self.jobs[asked.args[0]]["status"] = "redacting"
        return self.jobs[asked.args[0]]

    def holds(self, email: str) -> bool:
        rows = [row.get("email") or row.get("receipt_email") for kind in self.held.values() for row in kind.values()]
        return any(same(email, each) for each in rows)
