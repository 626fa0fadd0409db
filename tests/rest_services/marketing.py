"""Doubles of marketing and analytics services."""

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.rest_fake import Asked, Told, basic
from tests.rest_services.double import NOT_FOUND, PERSONS, ServiceDouble, same


class Klaviyo(ServiceDouble):
    """Profiles and events; a deletion job has no id and is done when time has passed."""

    service, main = "klaviyo", "profile"
    credential = ("authorization", "Klaviyo-API-Key pk_of_this_test")
    required: ClassVar[Mapping[str, str]] = {"revision": "2025-10-15"}
    secrets: ClassVar[Mapping[str, str]] = {"api_key": "pk_of_this_test"}
    found: ClassVar[Mapping[str, int]] = {"profile": 1, "event": 3}
    writes = "POST /api/data-privacy-deletion-jobs"

    def set_up(self) -> None:
        self.profiles: dict[str, dict[str, Any]] = {}
        self.events: dict[str, dict[str, Any]] = {}
        self.jobs: list[str] = []
        for at, (email, first, last, phone) in enumerate(PERSONS, start=1):
            name = f"01K{at}"
            self.profiles[name] = {
                "id": name, "type": "profile",
                "attributes": {"email": email, "phone_number": phone, "first_name": first, "last_name": last,
                               "external_id": f"c-{at}", "properties": {}, "location": {}},
            }  # fmt: skip
            for number in range(3):
                event = f"ev{at}{number}"
                owner = {"profile": {"data": {"type": "profile", "id": name}}}
                attributes = {"datetime": "2026-05-01T00:00:00+00:00", "event_properties": {"basket": number}}
                self.events[event] = {"id": event, "type": "event", "attributes": attributes, "relationships": owner}
        self.on("GET", "/api/accounts", lambda asked: {"data": [{"id": "acc"}]})
        self.on("GET", "/api/profiles", self.filtered)
        self.on("GET", "/api/profiles/{}", lambda asked: self.shown(self.profiles, asked))
        self.on("GET", "/api/events", self.events_of)
        self.on("GET", "/api/events/{}", lambda asked: self.shown(self.events, asked))
        self.on("POST", "/api/data-privacy-deletion-jobs", self.made)

    def shown(self, rows: Mapping[str, Any], asked: Asked) -> Any:
        return {"data": rows[asked.args[0]]} if asked.args[0] in rows else NOT_FOUND

    def filtered(self, asked: Asked) -> Any:
        field, _, value = asked.query["filter"].removeprefix("equals(").removesuffix('")').partition(',"')
        found = [one for one in self.profiles.values() if same(one["attributes"][field], value)]
        return {"data": found, "links": {"next": None}}

    def events_of(self, asked: Asked) -> Any:
        name = asked.query["filter"].split('"')[1]
        mine = [one for one in self.events.values() if one["relationships"]["profile"]["data"]["id"] == name]
        start = int(asked.query.get("page[cursor]", "0"))
        more = f"https://a.klaviyo.com/api/events?page%5Bcursor%5D={start + 2}" if start + 2 < len(mine) else None
        return {"data": mine[start : start + 2], "links": {"next": more}}

    def made(self, asked: Asked) -> Any:
        attributes = asked.body["data"]["attributes"]["profile"]["data"]["attributes"]
        if len(attributes) != 1:
            return Told({"errors": [{"code": "invalid"}]}, 400)
        if not self.is_lazy:
            self.jobs.append(attributes["email"])
        return Told(None, 202)

    def pass_time(self) -> None:
        for email in self.jobs:
            gone = [name for name, one in self.profiles.items() if same(one["attributes"]["email"], email)]
            for name in gone:
                del self.profiles[name]
            owners = {event: one["relationships"]["profile"]["data"]["id"] for event, one in self.events.items()}
            for event in [event for event, owner in owners.items() if owner in gone]:
                del self.events[event]
        self.jobs.clear()

    def holds(self, email: str) -> bool:
        return any(same(email, one["attributes"]["email"]) for one in self.profiles.values())


class Mailchimp(ServiceDouble):
    """Members of lists, named by the MD5 of their address."""

    service, main = "mailchimp", "member"
    credential = ("authorization", basic("any", "key-of-this-test-us21"))
    settings: ClassVar[Mapping[str, Any]] = {"dc": "us21"}
    secrets: ClassVar[Mapping[str, str]] = {"api_key": "key-of-this-test-us21"}
    found: ClassVar[Mapping[str, int]] = {"member": 2}
    writes = "POST /3.0/lists/*/members/*/actions/delete-permanent"

    def set_up(self) -> None:
        self.members: dict[tuple[str, str], dict[str, Any]] = {}
        for email, first, last, phone in PERSONS:
            for audience in ("news", "offers"):
                name = hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()
                self.members[audience, name] = {
                    "id": name, "list_id": audience, "email_address": email, "full_name": f"{first} {last}",
                    "status": "subscribed", "merge_fields": {"PHONE": phone}, "location": {}, "ip_signup": "192.0.2.7",
                    "tags": [],
                }  # fmt: skip
        self.on("GET", "/3.0/ping", lambda asked: {"health_status": "Everything's Chimpy!"})
        self.on("GET", "/3.0/search-members", self.searched)
        self.on("GET", "/3.0/lists/{}/members/{}", lambda asked: self.members.get(self.key(asked)) or NOT_FOUND)
        self.on("POST", "/3.0/lists/{}/members/{}/actions/delete-permanent", self.deleted)

    def key(self, asked: Asked) -> tuple[str, str]:
        return asked.args[0], asked.args[1]

    def searched(self, asked: Asked) -> Any:
        exact = [one for one in self.members.values() if same(one["email_address"], asked.query["query"])]
        near = [
            one for one in self.members.values() if one["full_name"].split()[0].lower() in asked.query["query"].lower()
        ]
        return {"exact_matches": {"members": exact}, "full_search": {"members": near}}

    def deleted(self, asked: Asked) -> Any:
        if self.key(asked) not in self.members:
            return Told({"title": "Resource Not Found"}, 404)
        if not self.is_lazy:
            del self.members[self.key(asked)]
        return Told(None, 204)

    def holds(self, email: str) -> bool:
        return any(same(email, one["email_address"]) for one in self.members.values())


class Segment(ServiceDouble):
    """Two addresses: the Profiles API and the Public API, each with a credential of its own."""

    service, main = "segment", "user"
    settings: ClassVar[Mapping[str, Any]] = {"region": "eu", "space_id": "spa_1"}
    secrets: ClassVar[Mapping[str, str]] = {"token": "sgp_of_this_test", "secret": "space-secret-of-this-test"}
    found: ClassVar[Mapping[str, int]] = {"user": 1, "event": 2}
    writes = "POST /regulations"

    def set_up(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.regulations: dict[str, dict[str, Any]] = {}
        self.final = "FINISHED"
        for at, (email, first, last, phone) in enumerate(PERSONS, start=1):
            self.users[f"u-{at}"] = {"email": email, "first_name": first, "last_name": last, "phone": phone, "id": at}
        base = "/v1/spaces/spa_1/collections/users/profiles/{}"
        self.on("GET", "/", lambda asked: {"data": {"workspace": {"id": "w"}}})
        self.on("GET", f"{base}/external_ids", self.external_ids)
        self.on("GET", f"{base}/traits", self.traits)
        self.on("GET", f"{base}/events", self.events)
        self.on("POST", "/regulations", self.made)
        self.on("GET", "/regulations/{}", self.looked)

    def _told(self, asked: Asked) -> Told:
        public = not asked.path.startswith("/v1/spaces")
        value = "Bearer sgp_of_this_test" if public else basic("space-secret-of-this-test")
        self.credential = ("authorization", value)
        return super()._told(asked)

    def user(self, asked: Asked) -> str | None:
        kind, _, value = asked.args[0].partition(":")
        if kind == "user_id":
            return value if value in self.users else None
        return next((name for name, one in self.users.items() if same(one["email"], value)), None)

    def external_ids(self, asked: Asked) -> Any:
        name = self.user(asked)
        if name is None:
            return NOT_FOUND
        both = [{"type": "email", "id": self.users[name]["email"]}, {"type": "user_id", "id": name}]
        return {"data": both, "cursor": {"has_more": False, "next": ""}}

    def traits(self, asked: Asked) -> Any:
        name = self.user(asked)
        return NOT_FOUND if name is None else {"traits": self.users[name], "cursor": {"has_more": False}}

    def events(self, asked: Asked) -> Any:
        name = self.user(asked)
        if name is None:
            return NOT_FOUND
        start = int(asked.query.get("next", "0"))
        rows = [{"message_id": f"{name}-{at}", "event": "Viewed", "properties": {"at": at}} for at in range(2)]
        return {"data": rows[start : start + 1], "cursor": {"has_more": start == 0, "next": str(start + 1)}}

    def made(self, asked: Asked) -> Any:
        name = f"reg_{len(self.regulations) + 1}"
        self.regulations[name] = {"id": name, "overallStatus": "INITIALIZED", "ids": asked.body["subjectIds"]}
        return {"data": {"regulateId": name}}

    def looked(self, asked: Asked) -> Any:
        one = self.regulations[asked.args[0]]
        one["overallStatus"] = {"INITIALIZED": "RUNNING", "RUNNING": self.final}.get(
            one["overallStatus"], one["overallStatus"]
        )
        if one["overallStatus"] == "FINISHED" and not self.is_lazy:
            for name in one["ids"]:
                self.users.pop(name, None)
        return {"data": {"regulation": {"id": one["id"], "overallStatus": one["overallStatus"]}}}

    def holds(self, email: str) -> bool:
        return any(same(email, one["email"]) for one in self.users.values())


class Braze(ServiceDouble):
    """Profiles; one address may have several."""

    service, main = "braze", "user"
    credential = ("authorization", "Bearer braze-key-of-this-test")
    settings: ClassVar[Mapping[str, Any]] = {"cluster": "EU-01"}
    secrets: ClassVar[Mapping[str, str]] = {"api_key": "braze-key-of-this-test"}
    found: ClassVar[Mapping[str, int]] = {"user": 2}
    writes = "POST /users/delete"

    def set_up(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        for at, (email, first, last, phone) in enumerate((*PERSONS, PERSONS[0]), start=1):
            name = f"braze{at}"
            self.users[name] = {
                "braze_id": name, "external_id": f"c-{at}", "email": email, "first_name": first, "last_name": last,
                "phone": phone,
            }  # fmt: skip
        self.on("POST", "/users/export/ids", self.exported)
        self.on("POST", "/users/delete", self.deleted)

    def exported(self, asked: Asked) -> Any:
        wanted = {name: value for name, value in asked.body.items() if name != "fields_to_export"}
        [(name, value)] = wanted.items()
        field = {"email_address": "email", "external_ids": "external_id"}.get(name, name)
        values = value if isinstance(value, list) else [value]
        found = [one for one in self.users.values() if any(same(one[field], each) for each in values)]
        return Told({"message": "success", "users": found}, 201)

    def deleted(self, asked: Asked) -> Any:
        if len(asked.body) != 1 or len(asked.body["braze_ids"]) > 50:
            return Told({"message": "one kind, fifty at most"}, 400)
        if not self.is_lazy:
            for name in asked.body["braze_ids"]:
                self.users.pop(name, None)
        return Told({"message": "success", "deleted": len(asked.body["braze_ids"])}, 201)

    def holds(self, email: str) -> bool:
        return any(same(email, one["email"]) for one in self.users.values())


class Brevo(ServiceDouble):
    """Contacts, and a log of mails that is deleted apart."""

    service, main = "brevo", "contact"
    credential = ("api-key", "xkeysib-of-this-test")
    secrets: ClassVar[Mapping[str, str]] = {"api_key": "xkeysib-of-this-test"}
    found: ClassVar[Mapping[str, int]] = {"contact": 1, "mail": 2}
    writes = "DELETE /v3/contacts/*"

    def set_up(self) -> None:
        self.contacts: dict[int, dict[str, Any]] = {}
        self.mails: dict[str, dict[str, Any]] = {}
        for at, (email, first, last, phone) in enumerate(PERSONS, start=1):
            names = {"FIRSTNAME": first, "LASTNAME": last, "SMS": phone}
            self.contacts[at] = {"id": at, "email": email, "attributes": names, "listIds": [7]}
            for number in (1, 2):
                uuid = f"m{at}{number}"
                self.mails[uuid] = {"uuid": uuid, "email": email, "subject": "Your order", "date": "2026-05-01"}
        self.on("GET", "/v3/account", lambda asked: {"email": "owner@example.com"})
        self.on("GET", "/v3/contacts/{}", lambda asked: self.contact(asked) or NOT_FOUND)
        self.on("GET", "/v3/smtp/emails", self.mails_of)
        self.on("GET", "/v3/smtp/emails/{}", lambda asked: self.mails.get(asked.args[0]) or NOT_FOUND)
        self.on("DELETE", "/v3/smtp/log/{}", self.log_deleted)
        self.on("DELETE", "/v3/contacts/{}", self.deleted)

    def contact(self, asked: Asked) -> Any:
        by = {"email_id": "email", "contact_id": "id"}[asked.query["identifierType"]]
        return next((one for one in self.contacts.values() if same(one[by], asked.args[0])), None)

    def mails_of(self, asked: Asked) -> Any:
        mine = [one for one in self.mails.values() if same(one["email"], asked.query["email"])]
        return {"count": len(mine), "transactionalEmails": mine[int(asked.query["offset"]) :]}

    def log_deleted(self, asked: Asked) -> Any:
        for uuid in [uuid for uuid, one in self.mails.items() if same(one["email"], asked.args[0])]:
            del self.mails[uuid]
        return Told(None, 204)

    def deleted(self, asked: Asked) -> Any:
        one = self.contact(asked)
        if one is None:
            return NOT_FOUND
        if not self.is_lazy:
            del self.contacts[one["id"]]
        return Told(None, 204)

    def holds(self, email: str) -> bool:
        return any(same(email, one["email"]) for one in [*self.contacts.values(), *self.mails.values()])
