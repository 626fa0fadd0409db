"""Doubles of a customer database and of a help desk."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.rest_fake import Asked, Told, basic
from tests.rest_services.double import NOT_FOUND, PERSONS, ServiceDouble, same


class HubSpot(ServiceDouble):
    """Contacts and tickets. An address it does not know goes to a list of blocked ones."""

    service, main = "hubspot", "contact"
    credential = ("authorization", "Bearer pat-of-this-test")
    secrets: ClassVar[Mapping[str, str]] = {"token": "pat-of-this-test"}
    found: ClassVar[Mapping[str, int]] = {"contact": 1, "ticket": 2}
    writes = "POST /crm/v3/objects/contacts/gdpr-delete"

    def set_up(self) -> None:
        self.contacts: dict[str, dict[str, Any]] = {}
        self.tickets: dict[str, dict[str, Any]] = {}
        self.archived: dict[str, dict[str, Any]] = {}
        self.blocked: list[str] = []
        for at, (email, first, last, phone) in enumerate(PERSONS, start=1):
            names = {"email": email, "firstname": first, "lastname": last, "phone": phone}
            self.contacts[str(at)] = {"id": str(at), "properties": names, "archived": False}
            for number in (1, 2):
                ticket = f"{at}0{number}"
                owner = {"contacts": {"results": [{"id": str(at), "type": "ticket_to_contact"}]}}
                said = {"subject": "Parcel", "content": f"It is late, says {first}", "hs_pipeline_stage": "4"}
                self.tickets[ticket] = {"id": ticket, "properties": said, "associations": owner}
        self.on("GET", "/crm/v3/objects/contacts", lambda asked: {"results": [*self.contacts.values()][:1]})
        self.on("POST", "/crm/v3/objects/contacts/search", self.searched)
        self.on("GET", "/crm/v3/objects/contacts/{}", self.one)
        self.on("POST", "/crm/v3/objects/tickets/search", self.tickets_of)
        self.on("GET", "/crm/v3/objects/tickets/{}", lambda asked: self.tickets.get(asked.args[0]) or NOT_FOUND)
        self.on("POST", "/crm/v3/objects/contacts/gdpr-delete", lambda asked: self.erased(self.contacts, asked))
        self.on("POST", "/crm/objects/2026-03/tickets/gdpr-delete", lambda asked: self.erased(self.tickets, asked))

    def searched(self, asked: Asked) -> Any:
        rule = asked.body["filterGroups"][0]["filters"][0]
        found = [one for one in self.contacts.values() if same(one["properties"]["email"], rule["value"])]
        return {"total": len(found), "results": found}

    def one(self, asked: Asked) -> Any:
        rows = self.archived if asked.query.get("archived") == "true" else self.contacts
        return rows.get(asked.args[0]) or NOT_FOUND

    def tickets_of(self, asked: Asked) -> Any:
        rule = asked.body["filterGroups"][0]["filters"][0]
        mine = [
            one for one in self.tickets.values() if one["associations"]["contacts"]["results"][0]["id"] == rule["value"]
        ]
        start = int(asked.body.get("after", "0"))
        shown = [{"id": one["id"], "properties": one["properties"]} for one in mine[start : start + 1]]
        more = {"paging": {"next": {"after": str(start + 1)}}} if start + 1 < len(mine) else {}
        return {"total": len(mine), "results": shown, **more}

    def erased(self, rows: dict[str, Any], asked: Asked) -> Any:
        name = asked.body["objectId"]
        if "idProperty" in asked.body or name not in rows:
            self.blocked.append(name)
            return Told(None, 204)
        one = rows[name] if self.is_lazy and rows is self.contacts else rows.pop(name)
        if self.is_lazy and rows is self.contacts:
            self.archived[name] = {**one, "archived": True}  # only moved to the bin
            del rows[name]
        return Told(None, 204)

    def holds(self, email: str) -> bool:
        rows = [*self.contacts.values(), *self.archived.values()]
        return any(same(email, one["properties"]["email"]) for one in rows)


class Zendesk(ServiceDouble):
    """Users, tickets, comments. What is deleted can still be shown until it is deleted for good."""

    service, main = "zendesk", "user"
    credential = ("authorization", basic("boss@example.com/token", "zendesk-token-of-this-test"))
    settings: ClassVar[Mapping[str, Any]] = {"subdomain": "acme", "email": "boss@example.com"}
    secrets: ClassVar[Mapping[str, str]] = {"token": "zendesk-token-of-this-test"}
    found: ClassVar[Mapping[str, int]] = {"user": 1, "ticket": 2, "comment": 4}
    writes = "DELETE /api/v2/users/*"

    def set_up(self) -> None:
        self.users: dict[int, dict[str, Any]] = {}
        self.tickets: dict[int, dict[str, Any]] = {}
        self.deleted_tickets: dict[int, dict[str, Any]] = {}
        self.comments: dict[int, list[dict[str, Any]]] = {}
        for at, (email, first, last, phone) in enumerate(PERSONS, start=1):
            self.users[at] = {
                "id": at, "email": email, "name": f"{first} {last}", "phone": phone, "notes": "", "details": "",
                "active": True, "role": "end-user", "last_login_at": "2026-05-01",
            }  # fmt: skip
            for number in (1, 2):
                ticket = at * 10 + number
                self.tickets[ticket] = {
                    "id": ticket, "requester_id": at, "subject": "Parcel", "description": "Late", "status": "closed",
                    "created_at": "2026-05-01",
                }  # fmt: skip
                self.comments[ticket] = [
                    {"id": ticket * 10 + part, "author_id": at, "plain_body": f"I am {first} {last}", "attachments": [
                        {"content_url": f"/attachments/{ticket}{part}"}] if part else [], "created_at": "2026-05-01"}
                    for part in (0, 1)
                ]  # fmt: skip
        self.on("GET", "/api/v2/users/me.json", lambda asked: {"user": {"role": "admin"}})
        self.on("GET", "/api/v2/users/search.json", self.searched)
        self.on("GET", "/api/v2/users/{}", lambda asked: self.wrapped("user", self.users, asked))
        self.on("GET", "/api/v2/users/{}/tickets/requested", self.requested)
        self.on("GET", "/api/v2/tickets/{}", lambda asked: self.wrapped("ticket", self.tickets, asked))
        self.on("GET", "/api/v2/tickets/{}/comments", self.comments_of)
        self.on("GET", "/attachments/{}", lambda asked: Told(b"a picture of the parcel"))
        self.on("DELETE", "/api/v2/tickets/{}", self.delete_ticket)
        self.on("DELETE", "/api/v2/deleted_tickets/{}", self.forget_ticket)
        self.on("DELETE", "/api/v2/users/{}", self.delete_user)
        self.on("DELETE", "/api/v2/deleted_users/{}", self.forget_user)

    def wrapped(self, name: str, rows: Mapping[int, Any], asked: Asked) -> Any:
        held = rows.get(int(asked.args[0]))
        return {name: held} if held else NOT_FOUND

    def searched(self, asked: Asked) -> Any:
        wanted = asked.query["query"].removeprefix('email:"').removesuffix('"')
        near = [one for one in self.users.values() if wanted.split("@")[0].lower() in str(one["email"]).lower()]
        start = int(asked.query.get("page", "1")) - 1
        base = "https://acme.zendesk.com/api/v2/users/search.json"
        more = f"{base}?page={start + 2}" if start + 1 < len(near) else None
        return {"users": near[start : start + 1], "next_page": more}

    def requested(self, asked: Asked) -> Any:
        mine = [one for one in self.tickets.values() if str(one["requester_id"]) == asked.args[0]]
        start = int(asked.query.get("page[after]", "0"))
        meta = {"has_more": start + 1 < len(mine), "after_cursor": str(start + 1)}
        return {"tickets": mine[start : start + 1] if "page[size]" in asked.query else mine, "meta": meta}

    def comments_of(self, asked: Asked) -> Any:
        held = self.comments.get(int(asked.args[0]))
        return NOT_FOUND if held is None else {"comments": held, "meta": {"has_more": False, "after_cursor": None}}

    def delete_ticket(self, asked: Asked) -> Any:
        ticket = self.tickets.pop(int(asked.args[0]), None)
        if ticket is None:
            return NOT_FOUND
        self.deleted_tickets[ticket["id"]] = ticket
        self.comments.pop(ticket["id"])
        return Told(None, 204)

    def forget_ticket(self, asked: Asked) -> Any:
        gone = self.deleted_tickets.pop(int(asked.args[0]), None)
        return {"job_status": {"id": "j"}} if gone else NOT_FOUND

    def delete_user(self, asked: Asked) -> Any:
        user = self.users.get(int(asked.args[0]))
        if user is None or not user["active"]:
            return NOT_FOUND
        user["active"] = False
        return {"user": user}

    def forget_user(self, asked: Asked) -> Any:
        user = self.users.get(int(asked.args[0]))
        if user is None or user["active"]:
            return NOT_FOUND
        if not self.is_lazy:
            del self.users[user["id"]]
        return {"deleted_user": {"id": int(asked.args[0])}}

    def holds(self, email: str) -> bool:
        return any(same(email, one["email"]) for one in self.users.values()) or bool(self.deleted_tickets)
