"""What the description of the API says beyond its types: names of operations, required keys, examples.

An operation's id is what generated clients call their methods: a verb and what it is done to. It is stable, so it
stands here and does not follow the name of a function.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

_KIM: Final = {"identifiers": [{"type": "email", "value": "kim@example.com"}]}
_EMAIL: Final = {"type": "email", "value": "kim@example.com"}
_SOMEBODY: Final = "s_7QM0Z6K3N8XV4T1R5BCD9EFGHJ"
_DIGEST: Final = "9f2c1b7e5a6d4c3b2a190817263544536271809f8e7d6c5b4a39281706f5e4d3"
_NEWS: Final = {"purpose": "newsletter", "channel": "email"}
_POINT: Final = {
    "kind": "form", "brand": "shop", "origins": ["https://shop.example"], "purposes": ["newsletter"],
    "notice": {"id": "signup", "version": 1}, "clock": "client",
}  # fmt: skip

NAMES: Final[Mapping[str, str]] = {
    "GET /.well-known/gpc.json": "get_gpc_support",
    "GET /audit/vkeys": "list_audit_keys",
    "GET /audit/{controller}/{tree}/checkpoint": "get_audit_checkpoint",
    "GET /audit/{controller}/{tree}/tile/{path}": "get_audit_tile",
    "GET /healthz": "get_health",
    "GET /ledger/vkeys": "list_ledger_keys",
    "GET /ledger/{controller}/{tree}/checkpoint": "get_ledger_checkpoint",
    "GET /ledger/{controller}/{tree}/tile/{path}": "get_ledger_tile",
    "GET /readyz": "get_readiness",
    "POST /hooks/{store}": "receive_hook",
    "GET /v1/acks": "list_acknowledgements",
    "POST /v1/acks": "acknowledge_events",
    "GET /v1/acks/{event_id}": "get_event_spread",
    "GET /v1/changes": "list_changes",
    "GET /v1/changes/snapshot": "get_changes_snapshot",
    "GET /v1/check": "check_consent_by_id",
    "POST /v1/check": "check_consent",
    "POST /v1/check:batch": "check_consents",
    "GET /v1/collect": "get_offer",
    "POST /v1/collect": "collect_choices",
    "GET /v1/collection-points": "list_collection_points",
    "POST /v1/collection-points": "register_collection_point",
    "PUT /v1/collection-points/{key}": "replace_collection_point",
    "POST /v1/collection-points/{key}:disable": "disable_collection_point",
    "POST /v1/collection-points/{key}:enable": "enable_collection_point",
    "POST /v1/collection-points/{key}:token": "mint_collection_token",
    "GET /v1/consent-mode": "get_consent_mode",
    "POST /v1/consents": "record_consent",
    "GET /v1/consents/ending": "list_ending_consents",
    "POST /v1/consents:confirm": "confirm_consent",
    "POST /v1/consents:establish": "establish_basis",
    "POST /v1/consents:resend": "resend_confirmation",
    "POST /v1/consents:withdraw": "withdraw_consent",
    "GET /v1/data-map": "list_data_maps",
    "GET /v1/data-map/export": "export_data_map",
    "GET /v1/data-map/stores/{name}": "get_data_map",
    "POST /v1/data-map/stores/{name}/answers": "answer_questions",
    "GET /v1/data-map/stores/{name}/links": "list_links",
    "GET /v1/data-map/stores/{name}/scan": "get_scan",
    "POST /v1/data-map/stores/{name}/scan": "scan_store",
    "GET /v1/dsars": "list_requests",
    "POST /v1/dsars": "submit_request",
    "GET /v1/dsars/{dsar_id}": "get_request",
    "GET /v1/dsars/{dsar_id}/erasure": "get_erasure",
    "POST /v1/dsars/{dsar_id}/erasure/{store}:hand-over": "stop_waiting",
    "GET /v1/dsars/{dsar_id}/rectification": "get_rectification",
    "GET /v1/dsars/{dsar_id}/passages": "list_passages",
    "POST /v1/dsars/{dsar_id}/passages": "mark_passage",
    "POST /v1/dsars/{dsar_id}/passages/{passage_id}:decide": "decide_passage",
    "POST /v1/exports": "request_export",
    "GET /v1/exports/{export_id}": "get_export",
    "GET /v1/exports/{export_id}/content": "download_export",
    "GET /v1/gpc-status": "get_gpc_status",
    "POST /v1/imports": "run_import",
    "GET /v1/imports/{import_id}": "get_import",
    "POST /v1/imports:dry-run": "try_import",
    "POST /v1/inbound/sms": "receive_sms",
    "GET /v1/ledger/consistency": "prove_consistency",
    "GET /v1/ledger/proof/{event_id}": "prove_inclusion",
    "POST /v1/mail-headers": "make_mail_headers",
    "GET /v1/notices": "list_notices",
    "POST /v1/notices": "draft_notice",
    "GET /v1/notices/{id}/{version}": "get_notice",
    "POST /v1/notices/{id}:lint": "lint_notice",
    "POST /v1/notices/{id}:publish": "publish_notice",
    "POST /v1/objections": "record_objection",
    "GET /v1/purposes": "list_purposes",
    "POST /v1/purposes": "draft_purpose",
    "GET /v1/purposes/{key}": "list_purpose_versions",
    "POST /v1/purposes/{key}:publish": "publish_purpose",
    "POST /v1/purposes/{key}:retire": "retire_purpose",
    "GET /v1/receipts/{event_id}": "get_receipt",
    "POST /v1/scrub": "scrub_list",
    "POST /v1/signals/gpc": "record_gpc_signal",
    "GET /v1/statistics/consent": "get_consent_statistics",
    "GET /v1/subjects/{subject_id}/consents": "list_choices",
    "POST /v1/subjects/{subject_id}/contacts": "change_contact",
    "GET /v1/subjects/{subject_id}/history": "list_history",
    "POST /v1/subjects/{subject_id}/links": "link_device",
    "DELETE /v1/subjects/{subject_id}/links/{linked_id}": "unlink_device",
    "POST /v1/suppressions": "suppress_contact",
    "POST /v1/suppressions:lookup": "find_suppressions",
    "GET /v1/webhooks": "list_webhooks",
    "POST /v1/webhooks": "connect_webhook",
    "GET /v1/webhooks/{id}/deliveries": "list_deliveries",
    "POST /v1/webhooks/{id}:disable": "disable_webhook",
    "POST /v1/webhooks/{id}:enable": "enable_webhook",
    "POST /v1/webhooks/{id}:replay": "replay_webhook",
    "POST /v1/webhooks/{id}:rotate": "rotate_webhook_key",
    "GET /version": "get_version",
}

EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "acknowledge_events": {"subscriber": "call-centre", "up_to_seq": 90412},
    "check_consent": {"identifier": _EMAIL, **_NEWS, "brand": "shop"},
    "check_consents": {"items": [{"ref": "1", "subject": _SOMEBODY, **_NEWS}]},
    "collect_choices": {
        "client_event_id": "b1f0a6d2-6c1e-4a55-9c0e-2f6f0c1d8e90", "identifiers": [_EMAIL],
        "notice": {"locale": "de-DE", "sha256": _DIGEST}, "choices": [{**_NEWS, "choice": "grant"}],
    },
    "register_collection_point": {"key": "footer", **_POINT},
    "replace_collection_point": _POINT,
    "mint_collection_token": {"origin": "https://shop.example"},
    "record_consent": {
        "subject": _KIM, "method": "form", "jurisdiction": "DE", "occurred_at": "2026-11-22T10:00:00Z",
        "choices": [{**_NEWS, "choice": "grant"}, {"purpose": "newsletter", "channel": "sms", "choice": "refuse"}],
        "evidence": {"url": "https://shop.example/checkout"},
    },
    "confirm_consent": {"token": "q3vX0a9d7Kc2mT8yR1sWbN5uEoHfJgLiPzDkQxVtYwA"},
    "establish_basis": {"subject": _KIM, "method": "checkout_checkbox", **_NEWS, "evidence": {"order": "R-17"}},
    "resend_confirmation": {"subject": _KIM, **_NEWS},
    "withdraw_consent": {"subject": {"id": _SOMEBODY}, "method": "preference_centre", "scope": _NEWS},
    "receive_hook": {"type": "contact.gone", "contact": {"job": "j-1"}},
    "submit_request": {"type": "access", "requester": {"email": "kim@example.com"}, "residence": "DE"},
    "mark_passage": {
        "finding": "0193c1e0-5b7e-7c1a-9d7e-3f0a1b2c3d4e", "field": "body", "start": 38, "end": 53, "kind": "PERSON",
    },
    "decide_passage": {"decision": "accepted", "seen": "open"},
    "request_export": {"format": "ndjson", "filter": {"purpose": "newsletter", "from": "2026-01-01"}},
    "receive_sms": {"from": "+491701234567", "text": "STOP", "message_id": "gw-1"},
    "make_mail_headers": {"subject": _KIM, **_NEWS},
    "publish_notice": {"judgement": {"material": False, "reason": "A typing error", "judged_by": "Dora Example"}},
    "record_objection": {"subject": _KIM, "method": "form"},
    "publish_purpose": {"judgement": {"material": True, "reason": "A new recipient", "judged_by": "Dora Example"}},
    "record_gpc_signal": {"subject": {"identifiers": [{"type": "device_id", "value": "d-81"}]}, "sec_gpc": ["1"]},
    "change_contact": {
        "contact": {"type": "email", "value": "kim.new@example.com"}, "former": _EMAIL, "method": "form",
    },
    "link_device": {"identifiers": [{"type": "device_id", "value": "d-81"}]},
    "suppress_contact": {"contact": _EMAIL, "reason": "hard_bounce"},
    "find_suppressions": {"contact": _EMAIL},
    "connect_webhook": {"name": "mail-tool", "url": "https://mail.shop.example/hooks/privacy", "types": ["consent.*"]},
    "replay_webhook": {"from_seq": 90400},
    "rotate_webhook_key": {"scheme": "v1a"},
}  # fmt: skip
"""A body that the operation takes, by its id. A test holds each against the model."""


def operation_id(route: APIRoute) -> str:
    """The operation's id; the function's own name for one that stands not here."""
    [method] = sorted(route.methods or ())
    return NAMES.get(f"{method} {route.path_format}", route.name)


def describe(app: FastAPI) -> None:
    """Let `app` say of itself what its types do not."""
    described = app.openapi

    def whole() -> dict[str, Any]:
        schema = described()
        for path in schema["paths"].values():
            for operation in path.values():
                _complete(operation)
        return schema

    app.openapi = whole  # type: ignore[method-assign]  # FastAPI's own way to extend it


def _complete(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "Idempotency-Key":  # absent, it is a problem of its own and not one of the form
            parameter["required"] = True
            parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": 128}
            parameter["example"] = "2c3f5f0e-0d0a-4d6b-8a67-1c5f5a9f6f5e"
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    example = EXAMPLES.get(operation["operationId"])
    if content is not None and example is not None:
        content["example"] = example
