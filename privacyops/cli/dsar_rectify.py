"""`privacyops dsar rectify`: puts a corrected value into every copy of one person's data in the stores of a file."""

import secrets
import time
from typing import Annotated

import typer

from privacyops.cli.dsar_erase import PlanFlag, load_to_change, show, status_of
from privacyops.cli.ending import refused
from privacyops.cli.stores_file import IDENTITY_DOUBT, JsonFlag, StoresOption, opened, say_problems
from privacyops.cli.subject import Columns, Customers, Emails, Names, Phones, identifiers_of
from privacyops.domain.erasure.rectifying import CorrectionMalformed, read_correction
from privacyops.services.erasure.rectify import rectify_stores
from privacyops.services.finding.several import draw_maps, search_stores

Corrections = Annotated[list[str], typer.Option("--set", help="KIND=OLD>NEW, such as last_name=Byrne>Byrne-Castle.")]


def rectify(
    stores: StoresOption,
    plan_only: PlanFlag,
    correction: Corrections,
    email: Emails = None,
    phone: Phones = None,
    customer_id: Customers = None,
    name: Names = None,
    id_: Columns = None,
    as_json: JsonFlag = False,
) -> None:
    """Correct one person's data in every store, or show what would be corrected. One line an operation.

    Only the person's own rows are corrected, copies and texts that repeat the old value among them. --apply needs
    `rehearsal = true` in the file. Exit status as `dsar erase`.
    """
    identifiers = identifiers_of(email, phone, customer_id, name, id_)
    try:
        corrections = [read_correction(text) for text in correction]
    except CorrectionMalformed as wrong:
        raise refused(f"--set: {wrong.detail}") from None
    file = load_to_change(stores, plan_only=plan_only)
    with opened(file) as host:
        runs = search_stores(host, draw_maps(host, host.stores()), identifiers, time.monotonic)
        if any(run.state.doubt is not None for run in runs):
            typer.echo("privacyops: the identifiers do not single out one person; nothing is changed", err=True)
            raise typer.Exit(IDENTITY_DOUBT)
        reports = rectify_stores(host, runs, corrections, secrets.token_hex(16), apply=not plan_only)
    say_problems(runs)
    show(reports, as_json, plan_only)
    raise typer.Exit(status_of(reports, plan_only))
