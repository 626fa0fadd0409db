"""What stands where in a manifest: its ways to find, its calls, its fields, its secrets."""

from collections.abc import Iterator, Sequence
from typing import Any

from privacyops.connector_sdk.declarative import Client, Export, Locate, Manifest


def locates(manifest: Manifest) -> Iterator[tuple[str, Locate]]:
    """Every way to find a person, with the kind of identifier."""
    for kind, several in manifest.locate.items():
        for each in several if isinstance(several, tuple) else (several,):
            yield kind, each


def calls_of(manifest: Manifest) -> Iterator[tuple[str, str, Any, str | None]]:
    """Every CALL: where it stands, its text, its body, and the resource whose row it may speak of."""
    yield from _reading_calls(manifest)
    yield from _acting_calls(manifest)


def _reading_calls(m: Manifest) -> Iterator[tuple[str, str, Any, str | None]]:
    yield "test.read", m.test.read, m.test.body, None
    if m.test.write != "none":
        yield "test.write", m.test.write, None, None
    for kind, found in locates(m):
        yield f"locate.{kind}", found.call, found.body, None
    for name, listed in m.list.items():
        yield f"list.{name}", listed.call, listed.body, None
    for name, export in m.export.items():
        yield f"export.{name}", export.call, export.body, spoken_of(m, name, export)
        if export.one is not None:
            yield f"export.{name}.one", export.one.call, export.one.body, name


def _acting_calls(m: Manifest) -> Iterator[tuple[str, str, Any, str | None]]:
    for at, step in enumerate(m.act):
        where = f"act.{at}"
        yield where, step.call, step.body, step.each
        if step.then is not None:
            yield f"{where}.then", step.then.call, step.then.body, step.each
        if step.job is not None:
            job = step.job
            cancel = job.cancel
            for text in (job.poll and job.poll.call, job.run and job.run.call):
                if text:
                    yield f"{where}.job", text, None, step.each
            if cancel is not None:
                text, body = (cancel, None) if isinstance(cancel, str) else (cancel.call, cancel.body)
                yield f"{where}.job.cancel", text, body, step.each
    for name, mask in m.mask.items():
        yield f"mask.{name}", mask.call, mask.body, name
    for key, several in (("preflight", m.preflight), ("stop_inflow", m.stop_inflow), ("dry_run", m.dry_run)):
        for at, each in enumerate(several):
            if each.call is not None:
                yield f"{key}.{at}", each.call, each.body, each.each or main_resource(m)
    if not isinstance(m.verify, str):
        yield "verify", m.verify.call, m.verify.body, m.verify.resource or main_resource(m)


def spoken_of(manifest: Manifest, name: str, export: Export) -> str | None:
    """Whose row an export's placeholders speak of: with `rows` the parent's, else its own."""
    owner = manifest.resources[name].belongs_to if name in manifest.resources else None
    return owner.resource if export.rows and owner is not None else name


def main_resource(manifest: Manifest) -> str:
    """The resource that the first way to find a person leads to."""
    return next(locates(manifest))[1].resource


def fields_of(m: Manifest, resource: str) -> set[str]:
    """The fields of a resource, its key and its pointer to the parent included."""
    one = m.resources[resource]
    return {*one.fields, *one.keys, *((one.belongs_to.by,) if one.belongs_to else ())}


def secret_references(m: Manifest) -> Sequence[str]:
    """The names of all secrets that credentials and headers speak of."""
    found = [name for client in (m.client, *m.clients.values()) for name in _spoken_secrets(client)]
    return [*found, *([m.inbound.signature.secret] if m.inbound else [])]


def _spoken_secrets(client: Client) -> Iterator[str]:
    auth = client.auth
    texts = [auth.bearer or "", *client.headers.values()]
    if auth.basic:
        texts += [auth.basic.user, auth.basic.password]
    if auth.header:
        texts.append(auth.header.value)
    if auth.oauth2_client:
        texts += [auth.oauth2_client.id, auth.oauth2_client.secret]
    return (part.partition("}")[0] for text in texts for part in text.split("${secret:")[1:])
