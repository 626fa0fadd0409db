"""Whether all that a manifest names exists: resources, fields, placeholders, paths, secrets, buckets."""

from collections.abc import Iterator

from connectors.rest.calls import CHANGES, changes_of, holes
from connectors.rest.forbidden import forbidden_of
from connectors.rest.naming import (
    calls_of,
    fields_of,
    locates,
    main_resource,
    secret_references,
)
from connectors.rest.paths import condition, steps_of
from privacyops.connector_sdk.declarative import Manifest, Resource
from privacyops.connector_sdk.declarative_acting import Act
from privacyops.connector_sdk.declarative_words import SECRET_NAMES


def problems(m: Manifest) -> Iterator[tuple[str, str]]:
    yield from _names(m)
    yield from _resources(m)
    yield from _placeholders(m)
    yield from _conditions(m)
    yield from _secrets(m)
    rules = forbidden_of((m.forbid,))
    for where, call, body, _ in calls_of(m):
        if rules.in_call(call, body):
            yield where, "a forbidden parameter or path"


def _names(m: Manifest) -> Iterator[tuple[str, str]]:
    known = set(m.resources)
    used: list[tuple[str, str]] = [
        *((f"locate.{kind}.resource", each.resource) for kind, each in locates(m)),
        *(("list", name) for name in m.list),
        *(("export", name) for name in m.export),
        *(("mask", name) for name in m.mask),
        *((f"act.{step.id}.each", step.each) for step in m.act),
        *((f"act.{step.id}.takes", name) for step in m.act for name in step.takes),
        *((name, one.belongs_to.resource) for name, one in m.resources.items() if one.belongs_to),
        *(("preflight", each.each) for each in (*m.preflight, *m.dry_run) if each.each),
    ]
    for where, name in used:
        if name not in known:
            yield where, f"no resource {name}"
    rates = m.rate if isinstance(m.rate, tuple) else (m.rate,)
    buckets = {"default", *(each.bucket for each in rates)}
    asked = [*(each.bucket for _, each in locates(m)), *(step.bucket for step in m.act)]
    for bucket in asked:
        if bucket not in buckets:
            yield "rate", f"no bucket {bucket}"
    if len({step.id for step in m.act}) != len(m.act):
        yield "act", "two steps have one id"


def _resources(m: Manifest) -> Iterator[tuple[str, str]]:
    for name, one in m.resources.items():
        for path, cell in one.fields.items():
            steps_of(cell.at or path)
        if one.deleted:
            condition(one.deleted)
        yield from _parent(m, name, one)
        by_parent = one.belongs_to is not None and one.belongs_to.by in one.keys
        by_key = any(set(each.match) <= set(one.keys) for _, each in locates(m) if each.resource == name)
        export = m.export.get(name)
        is_own = export is not None and (export.one is not None or not export.rows)
        if not (is_own or by_parent or by_key or _verify_reads(m, name)):
            yield f"resources.{name}", "no call reads one row by its key"
    for kind, each in locates(m):
        for path in each.match:
            if path not in m.resources[each.resource].fields and path not in m.resources[each.resource].keys:
                yield f"locate.{kind}.match", f"no field {path}"
    for name, mask in m.mask.items():
        for path in mask.fields:
            if path not in m.resources[name].fields:
                yield f"mask.{name}.fields", f"no field {path}"


def _parent(m: Manifest, name: str, one: Resource) -> Iterator[tuple[str, str]]:
    owner = one.belongs_to
    if owner is None or owner.to is None or owner.resource not in m.resources:
        return
    if owner.to not in fields_of(m, owner.resource):
        yield f"resources.{name}.belongs_to", f"no field {owner.to}"
    listed = m.export.get(name)
    spoken = holes(listed.call, listed.body) if listed is not None and listed.rows else set()
    if {hole for hole in spoken if hole.startswith("row.")} - {f"row.{owner.to}"}:
        yield f"export.{name}", f"only {{row.{owner.to}}} is known of the parent"


def _verify_reads(m: Manifest, name: str) -> bool:
    if isinstance(m.verify, str) or (m.verify.resource or main_resource(m)) != name:
        return False
    spoken = holes(m.verify.call, m.verify.body)
    return "value" not in spoken and any(hole.startswith("row.") for hole in spoken)


def _placeholders(m: Manifest) -> Iterator[tuple[str, str]]:
    settings = set(m.config) | set(m.region)
    plain = {name for name in settings if name not in m.config or not m.config[name].secret}
    for where, call, body, resource in calls_of(m):
        own = fields_of(m, resource) if resource else set()
        for hole in holes(call, body):
            head, _, rest = hole.partition(".")
            known = {
                "value": where.startswith(("locate", "verify")) or not own,
                "row": rest in own,
                "config": rest in plain,
                "result": where.startswith("act"),
            }.get(head, hole in own or hole in plain)
            if not known:
                yield where, f"no placeholder {{{hole}}}"
        for change in changes_of(call, body):
            if change not in CHANGES:
                yield where, f"no change {change}"


def _conditions(m: Manifest) -> Iterator[tuple[str, str]]:
    for rule in (*m.preflight, *m.stop_inflow, *m.dry_run):
        condition(rule.must or rule.must_not or "")
    for check in m.stop_inflow:
        if check.call is None:
            yield "stop_inflow", "needs a check"
    for _, found in locates(m):
        condition(found.when or "x exists")
        steps_of(found.rows)
    for each in (*(found for _, found in locates(m)), *m.list.values(), *m.export.values()):
        condition(each.only or "x exists")
        if each.via and each.via not in m.clients:
            yield "clients", f"no client {each.via}"
    for step in m.act:
        yield from _step(m, step)
    if not isinstance(m.verify, str) and not isinstance(m.verify.must, str):
        own = fields_of(m, m.verify.resource or main_resource(m))
        for path in m.verify.must.masked:
            if path not in own:
                yield "verify.must.masked", f"no field {path}"


def _step(m: Manifest, step: Act) -> Iterator[tuple[str, str]]:
    later = [other for other in m.act[m.act.index(step) + 1 :] if other.each == step.each]
    if step.job is not None and later:
        yield f"act.{step.id}", "a job is the last step of its resource"
    if step.needs_version and step.needs_version not in fields_of(m, step.each):
        yield f"act.{step.id}.needs_version", f"no field {step.needs_version}"


def _secrets(m: Manifest) -> Iterator[tuple[str, str]]:
    secret = {name for name, setting in m.config.items() if setting.secret}
    for name in secret:
        if name not in SECRET_NAMES:
            yield f"config.{name}", f"a secret is named one of {', '.join(SECRET_NAMES)}"
    for name in secret_references(m):
        if name not in secret:
            yield "client", f"no secret {name}"
    for name, setting in m.config.items():
        if setting.type == "choice" and not setting.choices and name not in m.region:
            yield f"config.{name}", "a choice without choices"
