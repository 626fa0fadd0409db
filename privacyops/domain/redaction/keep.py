"""Whose data stays in a text: the person who asks, by what is verified of them. Nothing that is only probable."""

from dataclasses import dataclass
from enum import StrEnum

from privacyops.domain.detection.span import Span
from privacyops.domain.identity.email import SameMailbox, normal_email, same_mailbox
from privacyops.domain.identity.person_name import fold_name, name_agrees
from privacyops.domain.identity.phone import phone_digits, same_phone


class Doubt(StrEnum):
    """Why a person has to look with particular care: the rule alone may be wrong either way."""

    SAME_SURNAME = "same_surname"
    NICKNAME = "nickname"
    INITIALS = "initials"
    NAME_OF_SEVERAL = "name_of_several"
    SHARED_CONTACT = "shared_contact"
    IN_THEIR_ROLE = "in_their_role"


class Whose(StrEnum):
    """What the keep-list says of a span."""

    SUBJECT = "subject"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class KeepList:
    """The subject's verified identity. `shared`: contacts that other people have too; `names_of_several`: those of
    its names that another customer also has. `house`: how the shop itself is called and where it is.
    """

    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    shared: frozenset[str] = frozenset()
    names_of_several: frozenset[str] = frozenset()
    house: tuple[str, ...] = ()
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """Whose a span is, and what makes that doubtful."""

    whose: Whose
    doubts: tuple[Doubt, ...] = ()


def judge(piece: str, span: Span, keep: KeepList) -> Judged:
    """Whether the piece of text is the subject's. In doubt it is another's: a person decides with the doubt in view."""
    if span.type == "PERSON":
        return _name(piece, keep)
    if span.type == "EMAIL_ADDRESS":
        mine = [one for one in keep.emails if _same_mail(piece, one)]
    elif span.type == "PHONE_NUMBER":
        mine = [one for one in keep.phones if same_phone(piece, one, keep.region)]
    elif span.type == "LOCATION":
        mine = [one for one in keep.addresses if _within(piece, one)]
    else:
        mine = [one for one in keep.numbers if phone_digits(one) and phone_digits(one) == phone_digits(piece)]
    if not mine:
        return Judged(Whose.OTHER)
    return Judged(Whose.SUBJECT, (Doubt.SHARED_CONTACT,) if keep.shared & set(mine) else ())


def _name(piece: str, keep: KeepList) -> Judged:
    words = fold_name(piece)
    for name in keep.names:
        mine = fold_name(name)
        if not words or not mine:
            continue
        if sorted(words) == sorted(mine) or (len(words) > 1 and _is_part(words, mine)):
            doubts = (Doubt.NAME_OF_SEVERAL,) if name in keep.names_of_several else ()
            return Judged(Whose.SUBJECT, doubts)
        if len(words) > 1 and name_agrees(piece, name):
            return Judged(
                Whose.OTHER, (Doubt.INITIALS,) if any(len(word) == 1 for word in words) else (Doubt.NICKNAME,)
            )
        if len(words) == 1 and words[0] in mine:
            return Judged(Whose.OTHER, (Doubt.NICKNAME,) if words[0] != mine[-1] else (Doubt.SAME_SURNAME,))
        if words[-1] == mine[-1]:
            return Judged(Whose.OTHER, (Doubt.SAME_SURNAME,))
        if all(len(word) == 1 for word in words) and [word[0] for word in mine] == list(words):
            return Judged(Whose.OTHER, (Doubt.INITIALS,))
    return Judged(Whose.OTHER)


def _is_part(words: tuple[str, ...], mine: tuple[str, ...]) -> bool:
    """Every word of the piece in the name, first and last among them: a middle name left out."""
    return set(words) <= set(mine) and words[-1] == mine[-1] and words[0] == mine[0]


def _same_mail(piece: str, mine: str) -> bool:
    one, other = normal_email(piece), normal_email(mine)
    return one is not None and other is not None and same_mailbox(one, other) is not SameMailbox.NO


def _within(piece: str, address: str) -> bool:
    words = set(fold_name(piece.replace(",", " ")))
    return bool(words) and words <= set(fold_name(address.replace(",", " ")))
