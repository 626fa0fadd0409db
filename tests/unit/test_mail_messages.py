"""Letters that were written badly or in bad faith are still read, and stop no search of the others."""

import pytest

from connectors.mailbox.message import attachments, body_text, header_values, parsed


def test_a_page_that_never_ends_its_head_is_read() -> None:
    page = "<html><head><title>Hi</title><body><p>Jane Roe, jane@example.org</p></body></html>"
    assert "jane@example.org" in body_text(parsed(f"Content-Type: text/html\r\n\r\n{page}".encode()))


@pytest.mark.parametrize("charset", ["idna", "undefined", "no-such"])
def test_a_subject_in_a_charset_that_decodes_nothing_is_read_as_it_stands(charset: str) -> None:
    assert header_values(parsed(f"Subject: =?{charset}?b?SmFuZQ==?=".encode()), {})["subject"] == "Jane"


def test_a_letter_of_parts_in_parts_without_end_is_searched_as_it_stands() -> None:
    lines = ["From: jane@example.org"]
    for at in range(3000):
        lines += [f'Content-Type: multipart/mixed; boundary="b{at}"', "", f"--b{at}"]
    message = parsed("\r\n".join([*lines, "Content-Type: text/plain", "", "plum"]).encode())
    assert "plum" in body_text(message)
    assert attachments(message) == []
    assert header_values(message, {})["from_email"] == "jane@example.org"
