"""The one-time links and portal cookies of a request: minted here, kept as a digest, spent once."""

from uuid import UUID

from privacyops.domain.secret import LINK_LIFE, LinkKind, SecretMalformed, link_digest, mint_link
from privacyops.kernel.ids import DsarId
from privacyops.store import token as tokens
from privacyops.store.uow import Tx


def new_link(tx: Tx, kind: LinkKind, dsar_id: DsarId) -> str:
    """A token that opens this request once, or for its life where the kind is a cookie's."""
    link = mint_link(kind)
    tokens.add_link(tx, link.digest, kind.name.lower(), str(dsar_id), LINK_LIFE[kind])
    return link.text


def opens(tx: Tx, token: str | None, kind: LinkKind) -> DsarId | None:
    """The request that a token of `kind` opens, without spending it; None: unknown, spent, expired, or malformed."""
    digest = _digest(token, kind)
    found = tokens.find_link(tx, digest, kind.name.lower()) if digest else None
    return None if found is None else DsarId(UUID(found))


def spend(tx: Tx, token: str, kind: LinkKind) -> DsarId | None:
    """As `opens`, and nobody can use the token again."""
    digest = _digest(token, kind)
    found = tokens.use_link(tx, digest, kind.name.lower()) if digest else None
    return None if found is None else DsarId(UUID(found))


def spend_all(tx: Tx, kind: LinkKind, dsar_id: DsarId) -> None:
    """Make every open link of a kind to this request useless."""
    tokens.spend_links(tx, kind.name.lower(), str(dsar_id))


def _digest(token: str | None, kind: LinkKind) -> bytes | None:
    try:
        return link_digest(kind, token) if token else None
    except SecretMalformed:
        return None
