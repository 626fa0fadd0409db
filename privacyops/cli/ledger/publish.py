"""`privacyops ledger export`: the logs as files that anybody can verify."""

from pathlib import Path
from typing import Annotated

import typer

from privacyops.cli.ending import INPUT_MISSING
from privacyops.cli.ledger.told import out, stop
from privacyops.cli.opening import open_house
from privacyops.domain.log import Log
from privacyops.kernel.errors import Problem
from privacyops.services import ledger


def export(
    folder: Annotated[Path, typer.Argument(help="Where to write; one folder a tree is made in it.")],
    log: Annotated[Log, typer.Option("--log")] = Log.CONSENT,
) -> None:
    """Write a log as files: entry bundles, tiles, checkpoints and keys, verifiable without this program's database."""
    house = open_house()

    def write(path: str, content: bytes) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    try:
        publish = ledger.publish if house.settings.is_cluster else ledger.extract
        trees = publish(house.context, log, write)
    except Problem as problem:
        raise stop(problem.title, INPUT_MISSING) from None
    finally:
        house.close()
    if not trees:
        raise stop("the log has no signed checkpoint yet", INPUT_MISSING)
    for tree in trees:
        out.print(f"{folder / tree}: verify with `privacyops ledger verify --files {folder / tree}`", highlight=False)
