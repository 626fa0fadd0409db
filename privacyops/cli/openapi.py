"""`privacyops openapi`."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def openapi(
    write: Annotated[bool, typer.Option("--write", help="Write openapi/openapi.json and openapi/problems.md.")] = False,
    folder: Annotated[Path, typer.Option(help="Where to write.")] = Path("openapi"),
) -> None:
    """Print the API's description, or write it with the list of problem types."""
    from privacyops.api.app import create_api
    from privacyops.bootstrap import build
    from privacyops.cli.problem_list import as_markdown
    from privacyops.settings import Settings

    with tempfile.TemporaryDirectory() as data:
        house = build(Settings(data=Path(data)))
        text = json.dumps(create_api(house.context).openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        house.close()
    if not write:
        typer.echo(text, nl=False)
        return
    folder.mkdir(exist_ok=True)
    (folder / "openapi.json").write_text(text, encoding="utf-8")
    (folder / "problems.md").write_text(as_markdown(), encoding="utf-8")
    typer.echo(f"wrote {folder / 'openapi.json'} and {folder / 'problems.md'}")
