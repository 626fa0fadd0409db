"""The filter that meets a document only while all of it is as it was read.

Decision 0082: the document is compared by an expression. A filter on fields (`{"f": value}`)
would also meet a list that has the value among others, takes a missing field for an empty one and cannot name a field
with a dot; and a server that is only compatible may refuse documents and lists in it, or answer that nothing fits.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bson import encode
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions

_WRITTEN: CodecOptions[dict[str, Any]] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)


def as_read(document: Mapping[str, Any]) -> dict[str, Any]:
    """Every field and its value, inside of lists and documents too, in their order; nothing missing, nothing more.

    `_id` stands by itself, so that the server finds the document by its index.
    """
    return {"_id": document["_id"], "$expr": {"$and": list(_same("$$ROOT", document))}}


def _same(path: str, document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """That the document at a path has these names in this order, and each of these values.

    Documents are taken apart, though MongoDB could compare them whole: other servers pass over the order of names, and
    one takes a name `id` for its own key wherever it meets it in a filter.
    """
    yield {"$eq": [_names(path), {"$literal": list(document)}]}
    odd = {name: held for name, held in document.items() if not is_name(name)}
    if odd:  # a name with a dot makes no path
        chosen = {"$in": ["$$each.k", {"$literal": list(odd)}]}
        found = {"$filter": {"input": {"$objectToArray": path}, "as": "each", "cond": chosen}}
        yield {"$eq": [found, {"$literal": [{"k": name, "v": held} for name, held in odd.items()]}]}
    above = "$" if path == "$$ROOT" else f"{path}."
    for name, held in document.items():
        if not is_name(name):
            continue
        if isinstance(held, Mapping) and (above, name) != ("$", "_id"):
            yield from _same(f"{above}{name}", held)
        elif (above, name) != ("$", "_id"):
            yield {"$eq": [f"{above}{name}", {"$literal": held}]}


def _names(path: str) -> dict[str, Any]:
    return {"$map": {"input": {"$objectToArray": path}, "as": "each", "in": "$$each.k"}}


def is_same(document: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two documents are the same byte by byte."""
    return encode(document, codec_options=_WRITTEN) == encode(other, codec_options=_WRITTEN)


def is_name(step: str | int) -> bool:
    """Whether the server takes the step for a plain name and not for a path or an operator."""
    return isinstance(step, int) or (bool(step) and "." not in step and not step.startswith("$") and "\0" not in step)
