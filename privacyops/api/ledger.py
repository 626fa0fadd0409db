"""The logs as outsiders see them: proofs for back ends, checkpoints and keys for everybody, tiles for auditors.

A controller has two logs. `/ledger/...` is what customers chose and what was published to them, `/audit/...` what
people and machines did here; each is served under the name that its checkpoints are signed with.
"""

import base64
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from privacyops.api.deps import Caller, action, base_context, public
from privacyops.api.schemas.ledger import ConsistencyOut, PromiseOut
from privacyops.domain.account.action import Action
from privacyops.domain.log import Log
from privacyops.services import proof
from privacyops.services.context import Context
from privacyops.services.ledger import PATH
from privacyops.services.promise import Promise

router = APIRouter(tags=["ledger"])
_TEXT = "text/plain; charset=utf-8"
_FOREVER = "private, max-age=31536000, immutable"
_TreeName = Annotated[str, Path(pattern=r"^[0-9]{4}(-r[0-9]{1,4})?$", description="A year; `-r1` after a restore")]
_Controller = Annotated[str, Path(min_length=1, max_length=64)]
_Machine = Annotated[Context, Depends(base_context)]
_WhichLog = Annotated[Log, Query(alias="log", description="`consent`, or `audit` for who may read the ledger")]


@router.get(
    "/v1/ledger/proof/{event_id}", summary="Prove one record", response_class=PlainTextResponse,
    responses={
        200: {"description": "c2sp.org/tlog-proof@v1", "content": {"text/plain": {"schema": {"type": "string"}}}},
        202: {"description": "Committed, no checkpoint covers it yet", "model": PromiseOut},
    },
    **action(Action.CONSENT_PROOF),
)  # fmt: skip
def prove(ctx: Caller, event_id: UUID, log: _WhichLog = Log.CONSENT) -> Response:
    """The proof that a record stands in the log, to be verified with the public key alone.

    For the second until a checkpoint covers the record the answer is 202 with a signed promise.
    """
    found = proof.prove(ctx, log, event_id)
    if isinstance(found, Promise):
        body = PromiseOut(promise=found.token, retry_after_s=found.retry_after_s)
        return JSONResponse(body.model_dump(), status_code=202, headers={"Retry-After": str(found.retry_after_s)})
    return Response(str(found), media_type=_TEXT)


@router.get("/v1/ledger/consistency", summary="Prove that a log only grew", **action(Action.CONSENT_PROOF))
def consistency(
    ctx: Caller,
    tree: Annotated[str, Query(pattern=r"^[0-9]{4}(-r[0-9]{1,4})?$")],
    old: Annotated[int, Query(alias="from", ge=1, lt=2**53)],
    new: Annotated[int | None, Query(alias="to", ge=1, lt=2**53, description="a signed size; default: newest")] = None,
    log: _WhichLog = Log.CONSENT,
) -> ConsistencyOut:
    """The nodes that lead from the root of `from` leaves, as somebody kept it, to the root in `checkpoint`."""
    found = proof.consistency(ctx, log, tree, old, new)
    return ConsistencyOut.model_validate(
        {
            "tree": found.tree, "from": found.old, "to": found.new, "checkpoint": found.note,
            "hashes": [base64.b64encode(step).decode() for step in found.hashes],
        }
    )  # fmt: skip


def _serve(log: Log, prefix: str) -> None:
    """The public files of one log."""

    def vkeys(ctx: _Machine) -> Response:
        """Verifier keys, one a line, of every tree: `name+key id+key`."""
        return Response("".join(f"{key}\n" for key in proof.published_keys(ctx, log)), media_type=_TEXT)

    def checkpoint(ctx: _Machine, controller: _Controller, tree: _TreeName) -> Response:
        """The newest signed note of a tree (c2sp.org/tlog-checkpoint)."""
        return Response(proof.newest_checkpoint(ctx, log, controller, tree), media_type=_TEXT)

    def tile(ctx: Caller, controller: _Controller, tree: _TreeName, path: str) -> Response:
        """Hashes of the tree, or bundles of its entries (c2sp.org/tlog-tiles)."""
        content = proof.tile(ctx, log, controller, tree, f"tile/{path}")
        return Response(content, media_type="application/octet-stream", headers={"Cache-Control": _FOREVER})

    bytes_out: dict[int | str, dict[str, Any]] = {
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    }
    text_out: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
    router.add_api_route(
        f"/{prefix}/vkeys", vkeys, summary=f"Verifier keys of the {log} log", name=f"{log}_vkeys",
        response_class=PlainTextResponse, responses=text_out, **public(),
    )  # fmt: skip
    router.add_api_route(
        f"/{prefix}/{{controller}}/{{tree}}/checkpoint", checkpoint, summary=f"Newest checkpoint of the {log} log",
        name=f"{log}_checkpoint", response_class=PlainTextResponse, responses=text_out, **public(),
    )  # fmt: skip
    router.add_api_route(
        f"/{prefix}/{{controller}}/{{tree}}/tile/{{path:path}}", tile, summary=f"A tile of the {log} log",
        name=f"{log}_tile", response_class=Response, responses=bytes_out, **action(Action.LEDGER_SEE),
    )  # fmt: skip


for _log, _prefix in PATH.items():
    _serve(_log, _prefix)
