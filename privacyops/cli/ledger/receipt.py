"""`privacyops ledger verify-receipt`: one signed receipt against the published key, without database or network."""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from privacyops.adapters.signer_ed25519 import payload_of_jws, public_jwk
from privacyops.adapters.system_clock import SystemClock
from privacyops.cli.ending import USAGE
from privacyops.cli.ledger.told import GOOD, MISMATCH, keys_of, out, stop, text_of
from privacyops.domain.receipt.check import ReceiptCheck, ReceiptMalformed, check
from privacyops.ledger.leaf import instant_text
from privacyops.services.promise import KIND as PROMISE
from privacyops.services.receipt import KIND as RECEIPT

_PARTS: Final = 3


def verify_receipt(
    file: Annotated[Path, typer.Argument(help="The receipt in its signed form (application/jose).")],
    keys: Annotated[
        list[str] | None, typer.Option("--vkey", "--key", help="Verifier key of the log, or a file of them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Verify a receipt with the log's public key alone. Get the key from the log's /ledger/vkeys, or better from a
    place that the operator cannot change.

    Exit status 0 when the record stands in the signed log, or is promised to it; 1 when anything does not hold; 2
    without a key; 3 when the file is not there.
    """
    trusted = keys_of(keys or [])
    if not trusted:
        raise stop("--vkey: name the key to trust (the log's /ledger/vkeys); a receipt cannot vouch for itself", USAGE)
    by_id = {public_jwk(key.public)["kid"]: key.public for key in trusted}
    token = text_of(file).strip()
    try:
        found = check(payload_of_jws(token, RECEIPT, by_id), trusted, lambda word: payload_of_jws(word, PROMISE, by_id))
    except ReceiptMalformed as refusal:
        told = f"signed, but not a receipt: {refusal}; ask who gave it to you for the receipt of one choice"
        raise _refused(told, as_json=as_json) from None
    except ValueError:
        raise _refused(_why_closed(token, by_id), as_json=as_json) from None
    if as_json:
        typer.echo(json.dumps({"good": found.is_good, **asdict(found)}, indent=1))
    else:
        _show(found)
    raise typer.Exit(GOOD if found.is_good else MISMATCH)


def _why_closed(token: str, by_id: Mapping[str, bytes]) -> str:
    """What stands in a file that does not open as a receipt, and what to do."""
    if token.startswith(("{", "[", "<")):
        form = "page" if token[0] == "<" else "readable form"
        return f"this is the {form} of a receipt, which nobody signed; fetch it with Accept: application/jose"
    parts = token.split(".")
    if len(parts) != _PARTS:
        return f"{len(parts)} parts where a signed receipt has {_PARTS}; it was cut or put together, fetch it anew"
    try:
        header = json.loads(base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
        key, kind = str(header["kid"])[:64], str(header["typ"])[:64]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "its head cannot be read; this is no receipt of this service, or it was changed; fetch it anew"
    if key not in by_id:
        named = ", ".join(sorted(by_id))
        told = f"not signed with this key: it names the key {key}, and you trust {named}"
        return f"{told}; name the key that was published at its time, replaced ones stay listed at /ledger/vkeys"
    if kind == PROMISE:
        return "this is a promise, not a receipt; fetch the receipt of its event, which holds the promise or the proof"
    if kind != RECEIPT:
        return f"signed with a key of yours, but as {kind} and not as a receipt; fetch it with Accept: application/jose"
    return "the signature does not fit: it was changed after it was signed; fetch it anew, trust nothing here"


def _refused(fault: str, *, as_json: bool) -> typer.Exit:
    if as_json:
        typer.echo(json.dumps({"good": False, "faults": [fault]}, indent=1))
    else:
        out.print(f"MISMATCH: {fault}", highlight=False)
    return typer.Exit(MISMATCH)


def _show(found: ReceiptCheck) -> None:
    out.print(f"{'good' if found.is_good else 'MISMATCH'}: record {found.record_id}", highlight=False)
    out.print(f"  {found.type} at {found.occurred_at}", highlight=False)
    if found.index is not None:
        out.print(f"  leaf {found.index} of {found.size} in {found.origin}", highlight=False)
    if found.promised_until is not None:
        is_over = found.promised_until < instant_text(SystemClock().now())
        late = "; that is over: fetch the receipt anew, and if it holds a promise still, the promise was broken"
        told = late if is_over else "; fetch the receipt after that, it will hold the proof"
        out.print(f"  promised to the log by {found.promised_until}{told}", highlight=False)
    for fault in found.faults:
        out.print(f"  {fault}", highlight=False)
