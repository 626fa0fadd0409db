"""A process for test_erasure_kills.py: erases one person row by row, each in a transaction, until it is killed."""

import json
import sys
import time

from privacyops.adapters.connector_host import Connectors
from privacyops.domain.catalog.read import refusals_retention
from privacyops.domain.erasure.deciding import Rules
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.ports.connector_host import StoreConfig
from privacyops.services.erasure.erase import Erasure, erase_stores
from privacyops.services.finding.several import draw_maps, search_stores


def main(request: str) -> None:
    """Erase ada@example.org from the store at SHOP_URL, and print what is reported of it."""
    config = StoreConfig("shop", "sql", {"url": "env:SHOP_URL"})
    host = Connectors([config])
    given = (Identifier(IdentifierKind.EMAIL, "ada@example.org"), Identifier(IdentifierKind.NAME, "Ada Byrne"))
    maps = draw_maps(host, host.stores())
    runs = search_stores(host, maps, given, time.monotonic)
    rules = {"shop": Rules(refusals_retention(), accept_links=0.9, accept_text=True)}
    work = Erasure(lambda: Connectors([config]), time.monotonic, request, step=1)
    (report,) = erase_stores(host, maps, runs, rules, work)
    host.close()
    told = [[one.op.ref.collection, str(dict(one.op.ref.key)), one.standing.value] for one in report.ops]
    sys.stdout.write(json.dumps({"whole": report.is_whole, "problem": report.problem, "ops": told}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
