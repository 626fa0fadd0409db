"""Changing a signed text so that it is surely another one."""


def spoilt(text: str, at: int = -9) -> str:
    """The text with another sign at this place; a fixed sign would now and then be the one that stands there."""
    at %= len(text)
    return f"{text[:at]}{'B' if text[at] == 'A' else 'A'}{text[at + 1 :]}"
