"""The shipped manifests, each against a double in the shape of its service. None was run on the vendor's own server."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from connectors.rest.manifests import service_names, shipped
from connectors.rest.writing import RestStore
from privacyops.adapters.connector_host import Connectors
from privacyops.connector_sdk import (
    BlobRef,
    Check,
    Collection,
    Constant,
    Delete,
    Expectation,
    Finding,
    Hit,
    Keep,
    Leaf,
    Misconfigured,
    Null,
    Op,
    OpId,
    OpResult,
    Outcome,
    Page,
    Plan,
    PredicateOp,
    RandomToken,
    Replacement,
    Retriable,
    Terminal,
)
from privacyops.connector_sdk.testing.bench import GivenSecrets, Spy
from privacyops.connector_sdk.testing.faults import HttpFault
from privacyops.domain.finding.model import FindingTier
from privacyops.domain.identity.identifier import Identifier, IdentifierKind, Tier
from privacyops.ports.connector_host import StoreConfig
from privacyops.services.finding.scan import draw_map
from privacyops.services.finding.search import search_store
from tests.rest_fake import FakeClock
from tests.rest_services.desk import HubSpot, Zendesk
from tests.rest_services.double import ANNA, BEN, NAMESAKE, ServiceDouble
from tests.rest_services.marketing import Braze, Brevo, Klaviyo, Mailchimp, Segment
from tests.rest_services.shops import Shopify, Stripe, WooCommerce

DOUBLES: tuple[type[ServiceDouble], ...] = (
    Shopify, WooCommerce, Stripe, Klaviyo, Mailchimp, HubSpot, Zendesk, Segment, Braze, Brevo,
)  # fmt: skip
SUCCESS = {Outcome.DONE, Outcome.ALREADY, Outcome.KEPT}
each_service = pytest.mark.parametrize("double", DOUBLES, ids=lambda double: double.service)


def opened(service: ServiceDouble, clock: FakeClock | None = None, *, write: bool = True) -> RestStore:
    """The service's store."""
    return service.connector(clock).open(
        service.config(write=write), GivenSecrets({**service.secrets, "hash_key": "k"})
    )


def asked(store: RestStore, resource: str, path: str, *values: Any) -> list[Hit]:
    """The rows with these values, page after page."""
    found: list[Hit] = []
    where, after = Leaf("x", path, PredicateOp.IN_CI, values), None
    while True:
        page = list(store.find(Spy().call(), resource, where, (), Page(25, after)))
        hits = [item for item in page if isinstance(item, Hit)]
        found += hits
        if len(hits) < 25:
            return found
        after = page[-1].after  # type: ignore[union-attr]  # the last item of a page is a mark


def everything(store: RestStore, service: ServiceDouble, email: str = ANNA) -> dict[str, list[Hit]]:
    """The person's rows, by the ways that the catalogue declares: her address first, then every link inward."""
    resources = [one for one in store.catalogue(Spy().call()) if isinstance(one, Collection)]
    found: dict[str, list[Hit]] = {}
    for one in resources:
        for field in one.fields:
            if field.category == "email" and field.asked:
                found.setdefault(one.name, []).extend(asked(store, one.name, field.path, email))
    for _ in range(3):
        for one in resources:
            for link in one.links:
                keys = [hit.values[link.to_fields[0]] for hit in found.get(link.to, [])]
                if keys:
                    known = {str(hit.ref.key) for hit in found.get(one.name, [])}
                    more = [
                        hit for hit in asked(store, one.name, link.fields[0], *keys) if str(hit.ref.key) not in known
                    ]
                    found.setdefault(one.name, []).extend(more)
    return {name: hits for name, hits in found.items() if hits}


def erasing(store: RestStore, service: ServiceDouble) -> Plan:
    """The plan that erases Anna: what the service keeps is kept, without her."""
    ops = []
    for name, hits in everything(store, service).items():
        cut: Mapping[str, Replacement] = {path: cutting(path) for path in service.kept.get(name, ())}
        act = Keep("LEGAL_OBLIGATION", None, cut) if cut else Delete()
        ops += [Op(OpId(f"{name}-{at}"), hit.ref, act) for at, hit in enumerate(hits)]
    return store.plan(Spy().call(), ops)


def cutting(path: str) -> Replacement:
    """An address becomes a token, a text empty, a document null."""
    if path.endswith("email"):
        return RandomToken("erased-{r}@invalid.example")
    return Null() if path in {"billing", "shipping", "billing_details"} else Constant("")


def carried_out(store: RestStore, plan: Plan, service: ServiceDouble, clock: FakeClock) -> dict[str, OpResult]:
    """Applied, and every job asked after until it ends."""
    results = {str(one.op): one for one in store.apply(Spy().call(), plan, (), "page")}
    for _ in range(12):
        waiting = [one for one in results.values() if one.outcome is Outcome.PENDING]
        if not waiting:
            break
        clock.pass_(3600)
        service.pass_time()
        for one in waiting:
            assert one.ticket is not None
            results[str(one.op)] = store.poll(Spy().call(), one.ticket)
    return results


def verdicts(store: RestStore, plan: Plan) -> set[Finding]:
    """What the read-back says."""
    checks = [
        Check(
            each.op.ref,
            Expectation.GONE if isinstance(each.op.act, Delete) else Expectation.CHANGED,
            tuple(each.op.act.cut) if isinstance(each.op.act, Keep) else (),
            each.before,
        )
        for each in plan.ops
    ]
    return {verdict.outcome for verdict in store.verify(Spy().call(), checks)}


def test_every_shipped_manifest_has_a_double() -> None:
    assert {double.service for double in DOUBLES} == set(service_names())


@each_service
def test_a_person_is_found_whole_whatever_the_case_and_the_namesake_is_not(double: type[ServiceDouble]) -> None:
    service = double()
    store = opened(service, write=False)
    found = everything(store, service, ANNA if service.service == "brevo" else ANNA.lower())
    assert {name: len(hits) for name, hits in found.items()} == dict(service.found)
    said = str([dict(hit.values) for hits in found.values() for hit in hits])
    assert NAMESAKE not in said
    assert BEN not in said


@each_service
def test_an_unknown_person_is_an_answer_and_nothing_is_written(double: type[ServiceDouble]) -> None:
    service = double()
    store = opened(service, write=False)
    assert everything(store, service, "nobody@example.org") == {}
    assert {"PUT", "PATCH", "DELETE"}.isdisjoint({call.method for call in service.heard})


@each_service
def test_an_erasure_is_planned_sent_awaited_and_read_back(double: type[ServiceDouble]) -> None:
    service, clock = double(), FakeClock()
    store = opened(service, clock)
    plan = erasing(store, service)
    assert not plan.blockers
    assert service.holds(ANNA), "a plan wrote something"
    results = carried_out(store, plan, service, clock)
    assert {one.outcome for one in results.values()} <= SUCCESS, results
    assert not service.holds(ANNA)
    assert service.holds(NAMESAKE)
    assert service.holds(BEN)
    assert verdicts(store, plan) <= {Finding.GONE, Finding.CHANGED}


@each_service
def test_a_second_time_nothing_more_is_done(double: type[ServiceDouble]) -> None:
    service, clock = double(), FakeClock()
    store = opened(service, clock)
    plan = erasing(store, service)
    carried_out(store, plan, service, clock)
    before = service.calls().count(service.writes)
    again = carried_out(store, plan, service, clock)
    assert {one.outcome for one in again.values()} <= {Outcome.ALREADY, Outcome.KEPT}, again
    if "graphql" not in service.writes:
        assert service.calls().count(service.writes) == before


@each_service
def test_a_service_that_promises_and_does_nothing_is_found_out(double: type[ServiceDouble]) -> None:
    service, clock = double(), FakeClock()
    store = opened(service, clock)
    plan = erasing(store, service)
    service.is_lazy = True
    results = {str(one.op): one for one in store.apply(Spy().call(), plan, (), "page")}
    assert any(one.outcome in {Outcome.DONE, Outcome.PENDING} for one in results.values())
    assert service.holds(ANNA)
    assert Finding.STILL_THERE in verdicts(store, plan)


@each_service
def test_a_connection_that_breaks_after_the_effect_is_repeated_without_harm(double: type[ServiceDouble]) -> None:
    service, clock = double(), FakeClock()
    store = opened(service, clock)
    plan = erasing(store, service)
    for lost in range(60):
        service.faults.clear()
        service.faults.extend([*([None] * lost), HttpFault(after_effect=True)])
        try:
            list(store.apply(Spy().call(), plan, (), "page"))
        except Retriable:
            continue
        break
    service.faults.clear()
    results = carried_out(store, plan, service, clock)
    assert {one.outcome for one in results.values()} <= SUCCESS, results
    assert not service.holds(ANNA)
    assert service.holds(NAMESAKE)


@each_service
def test_refusals_are_classed_by_what_helps(double: type[ServiceDouble]) -> None:
    service, clock = double(), FakeClock()
    store = opened(service, clock, write=False)
    for fault, refusal, after in (
        (HttpFault(429, retry_after="17"), Retriable, 17),
        (HttpFault(429, retry_after="Sun, 22 Nov 2026 09:02:00 GMT"), Retriable, 120),
        (HttpFault(500), Retriable, None),
        (HttpFault(0), Retriable, None),
        (HttpFault(200, b"<html>sign in</html>"), Retriable, None),
        (HttpFault(401), Misconfigured, None),
        (HttpFault(403), Misconfigured, None),
        (HttpFault(302), Misconfigured, None),
        (HttpFault(422), Terminal, None),
    ):
        service.faults.append(fault)
        with pytest.raises(refusal) as refused:
            everything(store, service)
        if isinstance(refused.value, Retriable) and after is not None:
            assert refused.value.after is not None
            assert refused.value.after.total_seconds() == after
        clock.pass_(600)
        service.faults.clear()


@each_service
def test_a_wrong_credential_names_the_setting(double: type[ServiceDouble]) -> None:
    service = double()
    wrong = GivenSecrets(dict.fromkeys(service.secrets, "wrong"))
    store = service.connector().open(service.config(), wrong)
    with pytest.raises(Misconfigured) as refused:
        store.health(Spy().call())
    assert refused.value.setting in service.secrets


@each_service
def test_health_names_the_service_and_its_rights(double: type[ServiceDouble]) -> None:
    service = double()
    health = opened(service).health(Spy().call())
    assert health.product == shipped(service.service).title
    assert {right.value for right in health.rights} == {"read", "write"}


@each_service
def test_no_secret_stands_in_an_address_or_a_body(double: type[ServiceDouble]) -> None:
    service, clock = double(), FakeClock()
    store = opened(service, clock)
    carried_out(store, erasing(store, service), service, clock)
    for call in service.heard:
        for secret in service.secrets.values():
            assert secret not in f"{call.path} {call.query} {call.body}"


@each_service
def test_a_search_of_the_house_is_whole_and_owns_what_is_hers(
    double: type[ServiceDouble], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = double()
    for name, value in service.secrets.items():
        monkeypatch.setenv(f"REST_{name.upper()}", value)
    references = {name: f"env:REST_{name.upper()}" for name in service.secrets}
    config = {"service": service.service, "settings": dict(service.settings), **references}
    host = Connectors([StoreConfig("svc", "rest", config)], frozenset())
    host._connectors["rest"] = service.connector()
    try:
        drawn = draw_map(host, "svc")
        run = search_store(host, drawn, (Identifier(IdentifierKind.EMAIL, ANNA, Tier.VERIFIED),), time.monotonic)
    finally:
        host.close()
    assert run.problem is None
    assert run.state.is_whole, run.state.progress
    found = Counter(one.ref.collection for one in run.findings if one.tier is FindingTier.OWNED)
    assert dict(found) == dict(service.found)
    assert NAMESAKE not in str(run.findings)


def test_the_attachments_of_a_ticket_come_as_handles_and_are_read_from_the_service() -> None:
    service = Zendesk()
    for at in range(12):
        service.comments[11][0]["attachments"].append({"content_url": f"/attachments/{at}"})
    store = opened(service, write=False)
    comments = everything(store, service)["comment"]
    [many] = [hit for hit in comments if hit.values["files_beyond"]]
    files = [value for value in many.values.values() if isinstance(value, BlobRef)]
    assert (len(files), many.values["files_beyond"]) == (10, 2)
    with store.open_blob(Spy().call(), files[9]) as stream:
        assert stream.read() == b"a picture of the parcel"
    assert service.calls()[-1] == "GET /attachments/9"
    service.comments[11][0]["attachments"].clear()
    with pytest.raises(Terminal, match="file_gone"), store.open_blob(Spy().call(), files[9]):
        pass
