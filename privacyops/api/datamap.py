"""The data map: what the shop's stores hold of whom, what a person is asked about them, and the map for others."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from privacyops.api.deps import Caller, action
from privacyops.api.schemas.datamap import (
    CollectionOut,
    DriftOut,
    EvidenceOut,
    FieldOut,
    LinkAnswerIn,
    LinkList,
    LinkOut,
    ScanOut,
    StoreMapList,
    StoreMapOut,
)
from privacyops.domain.account.action import Action
from privacyops.domain.datamap.drift import Drift
from privacyops.domain.datamap.export import MapFormat
from privacyops.domain.datamap.link import Link, Ownership
from privacyops.kernel.errors import NotFound
from privacyops.services import datamap, scanning
from privacyops.services.context import Context
from privacyops.services.datamap import StoreMap

router = APIRouter(prefix="/v1/data-map", tags=["data map"])
Name = Annotated[str, Path(min_length=1, max_length=64, description="name of the store")]
MEDIA = {
    MapFormat.FIDESLANG: "application/yaml", MapFormat.CSV: "text/csv; charset=utf-8",
    MapFormat.DPV: "application/ld+json",
}  # fmt: skip


@router.get("", summary="Data maps", **action(Action.DATAMAP_SEE))
def data_maps(ctx: Caller) -> StoreMapList:
    """The map of every store that was scanned, by name."""
    return StoreMapList(items=[_map(one) for one in datamap.every(ctx)])


@router.get("/export", summary="Export the data map", response_class=Response, **action(Action.DATAMAP_SEE))
def export_data_map(
    ctx: Caller,
    form: Annotated[MapFormat, Query(alias="format")] = MapFormat.FIDESLANG,
    store: Annotated[list[str] | None, Query(description="only these stores", max_length=100)] = None,
) -> Response:
    """As fideslang datasets in YAML, as a table in CSV, or in the words of DPV as JSON-LD."""
    text = datamap.export(ctx, form, tuple(store or ()))
    return Response(text, media_type=MEDIA[form])


@router.get("/stores/{name}", summary="Read the data map of a store", **action(Action.DATAMAP_SEE))
def read_data_map(ctx: Caller, name: Name) -> StoreMapOut:
    """Collections with their classes, fields with their categories, and what changed with the last scan."""
    return _map(datamap.read(ctx, name))


@router.get("/stores/{name}/links", summary="Links of a store", **action(Action.DATAMAP_SEE))
def list_links(
    ctx: Caller, name: Name, only: Annotated[str, Query(pattern="^(questions|all)$")] = "questions"
) -> LinkList:
    """What a person is asked about, the most rows first; with `only=all` every link."""
    found = datamap.read(ctx, name)
    asked = {link.id for link in found.questions}
    others = [link for link in found.drawn.links if link.id not in asked] if only == "all" else []
    return LinkList(items=[_link(link, asked) for link in (*found.questions, *others)])


@router.post("/stores/{name}/answers", summary="Answer about a link", status_code=204, **action(Action.DATAMAP_CHANGE))
def answer_link(ctx: Caller, name: Name, body: LinkAnswerIn) -> None:
    """Yes, no, or whose the rows are. It stands for later scans too; the same answer again changes nothing."""
    datamap.answer(ctx, name, body.link, body.answer, Ownership(body.ownership) if body.ownership else None)


@router.post("/stores/{name}/scan", summary="Scan a store", status_code=202, **action(Action.DATAMAP_CHANGE))
def scan_store(ctx: Caller, name: Name) -> ScanOut:
    """Have its catalogue and samples read anew by a worker. One that is on its way already is not begun again."""
    scanning.begin(ctx, name)
    return _scan(ctx, name)


@router.get("/stores/{name}/scan", summary="Read how a scan stands", **action(Action.DATAMAP_SEE))
def read_scan(ctx: Caller, name: Name) -> ScanOut:
    """How far the newest scan is. Once it is done, the map and its questions are there."""
    return _scan(ctx, name)


def _scan(ctx: Context, name: str) -> ScanOut:
    found = scanning.newest(ctx, name)
    if found is None:
        raise NotFound("nobody asked for a scan of this store yet")
    return ScanOut(
        store=name, state=found.state, read=found.read, of=found.total, code=found.code or None,
        setting=found.setting or None, allowed=found.allowed or None,
    )  # fmt: skip


def _map(one: StoreMap) -> StoreMapOut:
    return StoreMapOut(
        store=one.store, scan=one.scan, scanned_at=one.scanned_at, questions=len(one.questions),
        collections=[
            CollectionOut(
                name=each.name, kind=each.kind.value, class_=each.cls.value if each.cls else None, rows=each.rows,
                fields=[
                    FieldOut(
                        path=field.path, type=field.type.value, role=field.role.value,
                        category=field.category.value if field.category else None,
                    )
                    for field in each.fields
                ],
            )
            for each in one.drawn.collections
        ],
        drift=[_drift(each) for each in one.drift],
    )  # fmt: skip


def _drift(one: Drift) -> DriftOut:
    return DriftOut(kind=one.kind.value, what=one.what, is_personal=one.is_personal)


def _link(link: Link, asked: set[str]) -> LinkOut:
    return LinkOut(
        id=link.id, from_=link.start, to=link.end, kind=link.kind.value, ownership=link.ownership.value,
        confidence=round(link.confidence, 3), state=link.state.value, is_question=link.id in asked,
        evidence=[EvidenceOut(kind=one.kind, weight=one.weight, n=one.n, of=one.of) for one in link.evidence],
    )  # fmt: skip
