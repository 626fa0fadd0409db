"""Looking after the logs: `privacyops ledger rotate-key` and `ledger go-on`."""

from pathlib import Path
from typing import IO, Annotated

import typer

from privacyops.adapters.key_file import KeyFileRefused
from privacyops.adapters.signer_ed25519 import rotate_signing_key
from privacyops.bootstrap import House
from privacyops.cli.ending import USAGE
from privacyops.cli.ledger.told import MISMATCH, out, stop, text_of
from privacyops.cli.opening import open_house, signing_key
from privacyops.domain.log import Log
from privacyops.kernel.errors import Conflict, Problem
from privacyops.services import ledger, prune, restore


def rotate_key() -> None:
    """Replace the key that signs the logs. The old one signs beside it for 30 days, so that nobody is surprised.

    Restart the service afterwards, give the new line of /ledger/vkeys to those who verify, and back the key up.
    """
    house = open_house()
    try:
        if not ledger.may_change_key(house.context):
            raise stop("the last change is not 30 days old: the key it replaced still signs", USAGE)
        path = house.settings.signing_key_file or signing_key(house.settings)
        try:
            fresh = rotate_signing_key(path)
        except KeyFileRefused as refusal:
            raise stop(str(refusal), USAGE) from None
        ledger.key_changed(house.context, fresh.key_id)
    finally:
        house.close()
    out.print(f"new key {fresh.key_id}; restart the service, both keys sign for 30 days", highlight=False)


def go_on(
    kept: Annotated[Path, typer.Option("--checkpoint", help="The newest checkpoint that somebody outside kept.")],
) -> None:
    """After a restore that lost records: leave the tree as it is and go on in a new one. Stop the service first.

    Exit status 0 when a new tree was opened; 1 when nothing is lost and nothing was done; 2 when the checkpoint is
    not of these logs; 3 when the file is not there.
    """
    note = text_of(kept)
    house = open_house()
    held = _alone(house)
    try:
        done = restore.go_on(house.context, note)
    except Conflict as nothing:
        raise stop(nothing.title, MISMATCH) from None
    except Problem as problem:
        raise stop(problem.title, USAGE) from None
    finally:
        house.close()
        held.close()
    out.print(
        f"{done.log}: {done.old_tree} is closed, {done.lost} records are lost; "
        f"{done.new_tree} begins with number {done.first_seq}",
        highlight=False,
    )


def _alone(house: House) -> IO[str]:
    """Hold the folder: while the service runs it would go on in the old tree."""
    from privacyops.cli.service import FolderInUse, lock

    try:
        return lock(house.settings.data)
    except FolderInUse:
        house.close()
        raise stop("the service runs in this folder; stop it first", USAGE) from None


def prune_year(
    tree: Annotated[str, typer.Argument(help="The year's tree, such as 2019.")],
    log: Annotated[Log, typer.Option("--log")] = Log.AUDIT,
    really: Annotated[bool, typer.Option("--yes", help="Delete. Without it only say what would go.")] = False,
) -> None:
    """Delete a year's records when their term is over. The last checkpoint stays.

    Exit status 0 when it was done or could be; 1 when something forbids it; 2 when there is no such tree.
    """
    house = open_house()
    try:
        found = prune.prune(house.context, log, tree) if really else prune.look(house.context, log, tree)
    except Conflict as reason:
        raise stop(f"{reason.title}{': ' if reason.detail else ''}{reason.detail}", MISMATCH) from None
    except Problem as problem:
        raise stop(problem.title, USAGE) from None
    finally:
        house.close()
    out.print(
        f"{log} {tree}: {found} records {'deleted' if really else 'would be deleted; add --yes'}", highlight=False
    )
