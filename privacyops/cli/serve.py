"""`privacyops serve`."""

import os
from typing import Annotated
from urllib.parse import urlsplit

import typer

from privacyops.cli.ending import fail
from privacyops.cli.loading import loading
from privacyops.cli.settings import read
from privacyops.settings import Settings

app = typer.Typer()
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@app.command()
def serve(
    role: Annotated[
        str, typer.Option(help="all (web, worker and clock in one process), web, worker, or replica.")
    ] = "all",
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 by default.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Run the service until it is told to stop."""
    with loading():
        from privacyops.bootstrap import WEB_TIMEOUT_S, WORKER_TIMEOUT_S, build, prepare_database
        from privacyops.cli.service import Role, Service, lock, shipped_doors
        from privacyops.kernel.crash_point import VARIABLE
        from privacyops.kernel.errors import Problem
        from privacyops.services import account

    settings = read()
    _require_role(role, settings)
    if os.environ.get(VARIABLE) and os.environ.get("PRIVACYOPS_TEST") != "1":
        fail(f"{VARIABLE} is set: it kills the process on purpose and belongs to tests", 2)
    if os.geteuid() == 0 and not settings.allow_root:
        fail("do not run as root; set PRIVACYOPS_ALLOW_ROOT=true where you must", 2)
    web = settings.web.model_copy(update={k: v for k, v in (("host", host), ("port", port)) if v is not None})
    settings = settings.model_copy(update={"web": web})
    os.umask(0o077)
    if settings.demo:
        fail("demo mode belongs to `privacyops demo`", 2)
    if settings.base_url.startswith("http://") and urlsplit(settings.base_url).hostname not in LOOPBACK:
        fail("set PRIVACYOPS_WEB__BASE_URL to the https address that your proxy serves", 2)
    if settings.mail.transport == "folder":
        typer.echo("Mail is written to a folder and reaches nobody: set PRIVACYOPS_MAIL__TRANSPORT=smtp.", err=True)
    house = build(settings, statement_timeout_s=WEB_TIMEOUT_S if role == Role.WEB else WORKER_TIMEOUT_S)
    house.telemetry.take_over()
    try:
        held = None if settings.is_cluster else lock(settings.data)
        prepare_database(house)
    except Problem as problem:
        fail(f"{problem.title} {problem.detail}".strip())
    if role == Role.REPLICA:
        from privacyops.cli.replicating import replicate

        replicate(house)
        return
    link = None if role == Role.WORKER else account.setup_link(house.context)
    if link:
        typer.echo(f"First account: open {link} within an hour.")
    if role != Role.WORKER:
        typer.echo(f"Listening on {settings.base_url}")
    Service(house, Role(role)).run(None if role == Role.WORKER else lambda: shipped_doors(house))
    del held


def _require_role(role: str, settings: Settings) -> None:
    """End with a word of what is missing where the role does not fit the settings."""
    from privacyops.cli.service import Role

    if role not in set(Role):
        fail(f"--role {role}: choose all, web, worker or replica", 2)
    if not settings.is_cluster and role != Role.ALL:
        needed = "set PRIVACYOPS_DATABASE_URL and PRIVACYOPS_ENGINE_URL"
        fail(f"--role web, worker and replica need PostgreSQL: {needed}", 2)
    if role == Role.REPLICA and settings.check_replica is None:
        fail("--role replica: set PRIVACYOPS_CHECK_REPLICA to the path of this host's copy", 2)
