"""Doubles of the two fictitious services, and the contract's bench on the first."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from privacyops.connector_sdk import Connector, Json, Misconfigured, Value
from privacyops.connector_sdk.testing.contract import Bench, Broken, Snapshot
from privacyops.connector_sdk.testing.seed import PERSON, PERSONS, PHOTO, PURCHASE, PURCHASES
from tests.rest_fake import Asked, FakeClock, FakeService, Told, basic

MANIFESTS = Path(__file__).parent / "rest_manifests"
PAGE = 1000


class Postbird(FakeService):
    """Contacts and their messages; what is deleted without `permanent` is archived and still shown on demand."""

    credential = ("authorization", "Bearer a-token-of-this-test")
    required: ClassVar[Mapping[str, str]] = {"api-revision": "2026-10"}

    def set_up(self) -> None:
        self.contacts = {int(str(row["id"])): {**row, "archived": False, "campaigns": []} for row in PERSONS}
        for one in self.contacts.values():
            one.pop("photo")
        self.messages = {int(str(row["id"])): dict(row) for row in PURCHASES}
        self.bulk = 0
        self.suppressed: list[str] = []
        self.keys: dict[str, Told] = {}
        self.importing = False
        self.restores: dict[int, str] = {}
        self.on("GET", "/v2/me", lambda asked: {"role": "admin"})
        self.on("GET", "/v2/me/rights", lambda asked: {"contacts.delete": True})
        self.on("GET", "/v2/contacts", self.listed)
        self.on("GET", "/v2/contacts/{}", lambda asked: self.one(self.contacts, asked, self.shown))
        self.on("GET", "/v2/contacts/{}/messages", self.messages_of)
        self.on("GET", "/v2/messages", lambda asked: self.page(self.messages, asked, self.message))
        self.on("GET", "/v2/messages/{}", lambda asked: self.one(self.messages, asked, self.message))
        self.on("GET", "/v2/bulk", self.bulk_listed)
        self.on("GET", "/v2/bulk/{}", self.bulk_one)
        self.on("GET", "/v2/imports", lambda asked: {"active": self.importing})
        self.on("GET", "/photos/{}", lambda asked: Told(PHOTO))
        self.on("POST", "/v2/suppressions", self.suppress)
        self.on("DELETE", "/v2/contacts/{}", self.delete)
        self.on("DELETE", "/v2/messages/{}", self.unlist)
        self.on("PATCH", "/v2/contacts/{}", lambda asked: self.patch(self.contacts, asked))
        self.on("PATCH", "/v2/messages/{}", lambda asked: self.patch(self.messages, asked))

    def shown(self, one: Mapping[str, Any]) -> dict[str, Any]:
        has_photo = one["id"] == 101
        moved = {"photo_url": f"/photos/{one['id']}" if has_photo else None, "seen_at": f"request {len(self.heard)}"}
        return {**one, **moved}

    def message(self, one: Mapping[str, Any]) -> dict[str, Any]:
        return {"contact_id" if name == "person_id" else name: value for name, value in one.items()}

    def listed(self, asked: Asked) -> Any:
        archived = asked.query.get("archived") == "true"
        wanted = asked.query.get("email")
        found = {
            number: one
            for number, one in self.contacts.items()
            if one["archived"] is archived and (wanted is None or str(one["email"]).lower() == wanted.lower())
        }
        return self.page(found, asked, self.shown)

    def page(self, rows: Mapping[int, Any], asked: Asked, shown: Any) -> Any:
        after = int(asked.query.get("after", -(2**62)))
        numbers = sorted(number for number in rows if number > after)
        page = numbers[:PAGE]
        follows = str(page[-1]) if len(numbers) > PAGE else None
        return {"data": [shown(rows[number]) for number in page], "meta": {"next": follows}}

    def one(self, rows: Mapping[int, Any], asked: Asked, shown: Any) -> Any:
        number = asked.args[0]
        held = rows.get(int(number)) if number.lstrip("-").isdecimal() and str(int(number)) == number else None
        return Told({"error": {"code": "not_found"}}, 404) if held is None else shown(held)

    def messages_of(self, asked: Asked) -> Any:
        mine = {n: one for n, one in self.messages.items() if str(one["person_id"]) == asked.args[0]}
        return self.page(mine, asked, self.message)

    def bulk_listed(self, asked: Asked) -> Any:
        after = int(asked.query.get("after", 0))
        rows = [{"id": at, "label": f"label {at}"} for at in range(after + 1, min(after + PAGE, self.bulk) + 1)]
        return {"data": rows, "meta": {"next": str(after + PAGE) if after + PAGE < self.bulk else None}}

    def bulk_one(self, asked: Asked) -> Any:
        return {"id": int(asked.args[0]), "label": f"label {asked.args[0]}"}

    def suppress(self, asked: Asked) -> Any:
        self.suppressed.append(asked.body["email"])
        return Told({"id": len(self.suppressed)}, 201)

    def delete(self, asked: Asked) -> Any:
        key = asked.headers.get("idempotency-key", "")
        if key in self.keys:
            return self.keys[key]
        if int(asked.args[0]) not in self.contacts:
            return Told({"error": {"code": "not_found"}}, 404)
        if asked.query.get("permanent") == "true":
            del self.contacts[int(asked.args[0])]
            for number in [n for n, one in self.messages.items() if str(one["person_id"]) == asked.args[0]]:
                del self.messages[number]
        else:
            self.contacts[int(asked.args[0])]["archived"] = True
        self.keys[key] = Told(None, 204)
        return self.keys[key]

    def unlist(self, asked: Asked) -> Any:
        gone = self.messages.pop(int(asked.args[0]), None)
        return Told(None, 204) if gone else Told({"error": {"code": "not_found"}}, 404)

    def patch(self, rows: dict[int, Any], asked: Asked) -> Any:
        held = rows.get(int(asked.args[0]))
        if held is None:
            return Told({"error": {"code": "not_found"}}, 404)
        held.update({"person_id" if name == "contact_id" else name: value for name, value in asked.body.items()})
        if held["id"] in self.restores:
            held["email"] = self.restores[held["id"]]
        return held


class PostbirdBench(Bench):
    """The contract's rows in a mail tool."""

    entry = "connectors.rest:connector"
    drivers = frozenset({"httpx", "httpcore", "yaml", "connectors.rest.wire"})
    names: ClassVar[Mapping[str, str]] = {PERSON: "contact", PURCHASE: "message"}

    def __init__(self) -> None:
        self.service = Postbird()
        self.clock = FakeClock()

    def connector(self) -> Connector:
        return self.service.connector(self.clock)

    def config(self) -> Mapping[str, Json]:
        manifest = str(MANIFESTS / "postbird.yaml")
        return {"name": "shop", "manifest": manifest, "settings": {"region": "eu"}, "scan": True}

    def secrets(self) -> Mapping[str, str]:
        return {"token": "a-token-of-this-test", "hash_key": "a-key-of-this-test"}

    def snapshot(self) -> Snapshot:
        rows: dict[tuple[str, str], dict[str, str | None]] = {}
        for name, held in ((PERSON, self.service.contacts), (PURCHASE, self.service.messages)):
            for number, one in held.items():
                cells = {path: value for path, value in one.items() if path not in {"campaigns", "archived"}}
                rows[name, str(number)] = {path: None if cell is None else str(cell) for path, cell in cells.items()}
        return rows

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        rows: dict[int, Any] = {PERSON: self.service.contacts, PURCHASE: self.service.messages}[collection]
        rows[number][path] = value

    def insert(self, number: int) -> None:
        new = {"id": number, "email": f"new{number}@example.org", "name": f"New {number}", "phone": "", "note": ""}
        self.service.contacts[number] = {**new, "archived": False, "campaigns": []}

    def grow(self, rows: int) -> str:
        self.service.bulk = rows
        return "bulk"

    def held(self) -> int:
        return self.service.streams

    def restore_after_write(self) -> bool:
        self.service.restores = {n: str(one["email"]) for n, one in self.service.contacts.items()}
        return True

    def broken(self) -> Sequence[Broken]:
        elsewhere = {**self.config(), "settings": {"region": "moon"}}
        return (
            Broken("a refused token", self.config(), {"token": "wrong"}, Misconfigured, "token"),
            Broken("no token", self.config(), {}, Misconfigured, "token"),
            Broken("a region that does not exist", elsewhere, self.secrets(), Misconfigured, "region"),
        )


class Examplepay(FakeService):
    """Customers, charges and redaction jobs that are validated, then run."""

    credential = ("authorization", basic("a-key-of-this-test"))
    required: ClassVar[Mapping[str, str]] = {"api-version": "2026-06.preview"}

    def set_up(self) -> None:
        self.customers: dict[str, dict[str, Any]] = {
            f"cus_{at}": {
                "id": f"cus_{at}", "email": f"person{at}@example.com", "name": f"Person {at}",
                "phone": f"+1 202-555-01{at:02}", "subscriptions": [], "disputes": [],
            }
            for at in range(1, 26)
        }  # fmt: skip
        self.charges: dict[str, dict[str, Any]] = {
            f"ch_{at}": {
                "id": f"ch_{at}", "customer": f"cus_{at}", "receipt_email": f"person{at}@example.com", "amount": at,
            }
            for at in range(1, 26)
        }  # fmt: skip
        self.jobs: dict[str, dict[str, Any]] = {}
        self.script = {"validating": "ready", "redacting": "succeeded"}
        """What a job's status becomes at each look."""
        self.keys: dict[str, Told] = {}
        self.spoils: set[str] = set()
        self.on("GET", "/v1/account", lambda asked: {"id": "acct_1"})
        self.on("GET", "/v1/customers", self.listed)
        self.on("GET", "/v1/customers/{}", lambda asked: self.customers.get(asked.args[0]) or Told({}, 404))
        self.on("GET", "/v1/charges", self.charges_of)
        self.on("GET", "/v1/charges/{}", lambda asked: self.charges.get(asked.args[0]) or Told({}, 404))
        self.on("POST", "/v1/privacy/redaction_jobs", self.job_made)
        self.on("GET", "/v1/privacy/redaction_jobs/{}", self.job_shown)
        self.on("POST", "/v1/privacy/redaction_jobs/{}/run", self.job_run)
        self.on("POST", "/v1/privacy/redaction_jobs/{}/cancel", self.job_cancelled)

    def listed(self, asked: Asked) -> Any:
        found = [one for one in self.customers.values() if one["email"] == asked.query["email"]]
        return {"data": [] if "starting_after" in asked.query else found}

    def charges_of(self, asked: Asked) -> Any:
        mine = [one for one in self.charges.values() if one["customer"] == asked.query["customer"]]
        return {"data": [] if "starting_after" in asked.query else mine}

    def job_made(self, asked: Asked) -> Any:
        key = asked.headers.get("idempotency-key", "")
        if key in self.keys:
            return self.keys[key]
        ids = asked.body["objects[customers][]"]
        if len(ids) > 10:
            return Told({"error": {"code": "too_many_objects"}}, 400)
        if self.spoils & set(ids):
            return Told({"error": {"code": "invalid_state"}}, 400)
        name = f"prj_{len(self.jobs) + 1}"
        self.jobs[name] = {"id": name, "status": "validating", "ids": ids}
        self.keys[key] = Told(dict(self.jobs[name]))
        return self.keys[key]

    def job_shown(self, asked: Asked) -> Any:
        job = self.jobs[asked.args[0]]
        job["status"] = self.script.get(job["status"], job["status"])
        if job["status"] == "succeeded":
            self.redact(job["ids"])
        return job

    def redact(self, ids: Sequence[str]) -> None:
        """Charges keep their amount, customers their id."""
        for name in ids:
            self.customers[name].update({"email": "redacted@example.invalid", "name": "[redacted]", "phone": None})
            for charge in self.charges.values():
                if charge["customer"] == name:
                    charge["receipt_email"] = None

    def job_run(self, asked: Asked) -> Any:
        job = self.jobs[asked.args[0]]
        if job["status"] != "ready":
            return Told({"error": {"code": "bad_state"}}, 409)
        job["status"] = "redacting"
        return job

    def job_cancelled(self, asked: Asked) -> Any:
        job = self.jobs[asked.args[0]]
        if job["status"] == "succeeded":
            return Told({"error": {"code": "bad_state"}}, 409)
        job["status"] = "canceled"
        return job
