"""How a person is shown where only the matter counts: first letters and dots, never how long a name is."""

from typing import Final

DOTS: Final = "••••"


def masked_name(name: str) -> str:
    """`Anna Kowalska` as `A•••• K••••`; at most two words, so that the number of names tells nothing either."""
    words = name.split()
    shown = words[:1] + words[-1:] if len(words) > 1 else words
    return " ".join(word[0] + DOTS for word in shown)


def masked_email(email: str) -> str:
    """`anna@example.com` as `a••••@e••••`."""
    local, at, domain = email.partition("@")
    return f"{local[:1]}{DOTS}{at}{domain[:1]}{DOTS if domain else ''}"


def masked_value(text: str) -> str:
    """`Am Wehr 1` as `A••••`; less than four signs are dots alone, since one letter of them would tell too much."""
    return (text.strip()[0] if len(text.strip()) >= len(DOTS) else "") + DOTS


def masked_phone(phone: str) -> str:
    """`+49 30 5550134` as `••••34`; less than four signs are dots alone."""
    return DOTS + (phone[-2:] if len(phone) >= len(DOTS) else "")
