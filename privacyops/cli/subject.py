"""The identifiers of one person on the command line."""

from collections.abc import Sequence
from typing import Annotated

import typer

from privacyops.cli.ending import refused
from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.domain.identity.phone import search_tail

Emails = Annotated[list[str] | None, typer.Option("--email", help="An address the person has proven.")]
Phones = Annotated[list[str] | None, typer.Option("--phone", help="A phone number; with country code if there is one.")]
Customers = Annotated[list[str] | None, typer.Option("--customer-id", help="The customer's number or key.")]
Names = Annotated[list[str] | None, typer.Option("--name", help="Full name; never enough alone.")]
Columns = Annotated[list[str] | None, typer.Option("--id", help="COLUMN=VALUE or TABLE.COLUMN=VALUE.")]


def identifiers_of(
    emails: Sequence[str] | None,
    phones: Sequence[str] | None,
    customers: Sequence[str] | None,
    names: Sequence[str] | None,
    columns: Sequence[str] | None,
) -> tuple[Identifier, ...]:
    """The identifiers that were given, as verified ones. Exits with 2 and one line where they name nobody."""
    emails, phones = emails or (), phones or ()
    found = [Identifier(IdentifierKind.EMAIL, text) for text in emails]
    if any(normal_email(text) is None for text in emails):
        raise refused("--email: not an e-mail address")
    if any(search_tail(text) is None for text in phones):
        raise refused("--phone: a phone number has at least seven digits")
    found += [Identifier(IdentifierKind.PHONE, text) for text in phones]
    found += [Identifier(IdentifierKind.CUSTOMER_ID, text) for text in customers or () if text.strip()]
    for text in columns or ():
        column, equals, value = text.partition("=")
        if not equals or not column.strip() or not value.strip():
            raise refused("--id: write COLUMN=VALUE")
        found.append(Identifier(IdentifierKind.COLUMN, value.strip(), at=column.strip()))
    if not found:
        raise refused("give an e-mail, a phone number, a customer id or --id; a name alone identifies nobody")
    return (*found, *(Identifier(IdentifierKind.NAME, text) for text in names or () if text.strip()))
