"""What a manifest says of its service, in the words of the catalogue and the capabilities."""

from collections.abc import Mapping
from typing import Final

from connectors.rest.asking import Asking
from connectors.rest.records import BEYOND, FILES, Shape
from connectors.rest.settings import Settings
from privacyops.connector_sdk import (
    Capabilities,
    Collection,
    CollectionKind,
    ConditionalWrite,
    DeclaredLink,
    Field,
    FieldType,
    LinkAction,
    PredicateOp,
    Rate,
    Sampling,
    TextSearch,
    WriteAct,
)
from privacyops.connector_sdk.declarative import Bucket, Manifest

MAX_IN: Final = 50
"""Keys in one question: most services are asked one by one."""
_TYPES: Final = {
    "text": FieldType.TEXT,
    "integer": FieldType.INTEGER,
    "number": FieldType.NUMBER,
    "boolean": FieldType.BOOLEAN,
    "date": FieldType.DATE,
    "instant": FieldType.INSTANT,
    "json": FieldType.JSON,
    "array": FieldType.ARRAY,
    "file": FieldType.BINARY,
}


def collection_of(settings: Settings, shape: Shape, shapes: Mapping[str, Shape], asking: Asking) -> Collection:
    """One resource. Fields that lead nowhere by themselves say so in `asked`."""
    keys = shape.resource.keys
    fields = [
        Field(
            path=path,
            type=_TYPES[cell.type],
            native=cell.at or path,
            nullable=path not in keys,
            unique=keys == (path,),
            indexed=True,  # nobody outside the service could add one
            category=cell.category,
            asked=asking.asked(shape.name, path),
        )
        for path, cell in shape.cells.items()
    ]
    if shape.files:
        fields.extend(Field(name, FieldType.BINARY, indexed=True, asked=frozenset()) for name in FILES)
        fields.append(Field(BEYOND, FieldType.INTEGER, indexed=True, asked=frozenset()))
    manifest = settings.manifest
    refuses = set(_writes(manifest)) - _writes_of(manifest, shape.name)
    return Collection(
        name=shape.name,
        kind=CollectionKind.RESOURCE,
        fields=tuple(fields),
        key=keys,
        links=_links(manifest, shape, shapes),
        refuses=frozenset(act.value for act in refuses) if settings.write else frozenset(),
    )


def _links(manifest: Manifest, shape: Shape, shapes: Mapping[str, Shape]) -> tuple[DeclaredLink, ...]:
    owner = shape.resource.belongs_to
    if owner is None:
        return ()
    goes_along = any(
        step.each == owner.resource and step.takes.get(shape.name, "masked") != "masked" for step in manifest.act
    )
    to = (owner.to,) if owner.to else shapes[owner.resource].resource.keys[:1]
    action = LinkAction.CASCADE if goes_along else LinkAction.NO_ACTION
    name = f"{shape.name}.{owner.by}"
    return (DeclaredLink(name, (owner.by,), owner.resource, to, action, ownership=owner.ownership),)


def capabilities_of(settings: Settings) -> Capabilities:
    """Of this service with this role."""
    manifest = settings.manifest
    lists = bool(manifest.list)
    scans = lists and settings.scan
    verify = manifest.verify
    return Capabilities(
        predicates=frozenset(PredicateOp),
        text_search=TextSearch.SCAN if scans else TextSearch.NONE,
        declared_links=any(one.belongs_to for one in manifest.resources.values()),
        writes=frozenset(_writes(manifest)) if settings.write else frozenset(),
        conditional_write=ConditionalWrite.ETAG
        if any(step.needs_version for step in manifest.act)
        else ConditionalWrite.NONE,
        bulk=max((step.batch.max for step in manifest.act if step.batch), default=1),
        async_erasure=any(step.kind == "job" for step in manifest.act),
        read_after=verify.first_after if not isinstance(verify, str) else Capabilities().read_after,
        max_in=MAX_IN,
        rate=_rate(manifest),
        sampling=frozenset({Sampling.FIRST}) if lists else frozenset(),
    )


def _writes(manifest: Manifest) -> set[WriteAct]:
    return {act for name in manifest.resources for act in _writes_of(manifest, name)}


def _writes_of(manifest: Manifest, resource: str) -> set[WriteAct]:
    """What a resource takes; rows that go along with their parent's take what is asked of them."""
    found: set[WriteAct] = set()
    if any(step.each == resource for step in manifest.act):
        found.add(WriteAct.DELETE)
    if resource in manifest.mask:
        found |= {WriteAct.SET, WriteAct.UNLINK, WriteAct.REDACT_SPAN}
    taken = next((step.takes[resource] for step in manifest.act if resource in step.takes), None)
    if taken is not None:
        found.add(WriteAct.SET if taken == "masked" else WriteAct.DELETE)
    return found


def _rate(manifest: Manifest) -> Rate:
    rules = manifest.rate if isinstance(manifest.rate, tuple) else (manifest.rate,)
    rule: Bucket | None = next((each for each in rules if each.bucket == "default"), next(iter(rules), None))
    if rule is None:
        return Rate()
    per_second = rule.limit / rule.per.total_seconds()
    return Rate(per_second, rule.burst or rule.limit, rule.concurrency)
