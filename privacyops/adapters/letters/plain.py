"""The text twin of a letter, derived from its HTML so that the two can never say different things."""

import re
import textwrap
from html.parser import HTMLParser
from typing import Final

_WIDTH: Final = 76
_BLOCKS: Final = frozenset({"p", "h1", "h2", "h3", "li", "dt", "dd", "tr", "address", "div"})
_SILENT: Final = frozenset({"head", "style", "title"})


def plain_text(fragment: str) -> str:
    """The words of an HTML fragment made of headings, paragraphs, lists, tables and links, wrapped at 76 columns.

    A link whose text differs from its address is followed by the address; headings are underlined.
    """
    reader = _Reader()
    reader.feed(fragment)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._blocks: list[str] = []
        self._words: list[str] = []
        self._lists: list[int] = []  # the last number of each open list, -1 for a list without numbers
        self._address = ""
        self._link_text = ""
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in {"ul", "ol"}:
            self._flush()
            self._lists.append(-1 if tag == "ul" else 0)
        elif tag == "br":
            self._words.append("\n")
        elif tag == "a":
            self._address, self._link_text = dict(attrs).get("href") or "", ""
        elif tag in {"td", "th"} and "".join(self._words).strip():
            self._words.append(" | ")
        elif tag in _BLOCKS:
            self._flush("li" if tag == "li" else "")  # HTML lets an item end where the next one begins
            if tag == "li" and self._lists and self._lists[-1] >= 0:
                self._lists[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent -= 1
        elif tag in {"ul", "ol"}:
            self._flush("li" if "".join(self._words).strip() else "")
            self._lists.pop()
        elif tag == "a":
            if self._address and self._link_text.strip() not in {
                self._address,
                self._address.removeprefix("mailto:"),
            }:
                self._words.append(f" ({self._address})")
            self._address = ""
        elif tag in _BLOCKS:
            self._flush(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._words.append(re.sub(r"\s+", " ", data))
            self._link_text += data

    def _flush(self, tag: str = "") -> None:
        lines = [" ".join(line.split()) for line in "".join(self._words).split("\n")]
        self._words.clear()
        lines = [line for line in lines if line]
        if not lines:
            return
        if tag in {"h1", "h2"}:
            title = " ".join(lines)
            self._blocks.append(f"\n{title}\n{('=' if tag == 'h1' else '-') * min(len(title), _WIDTH)}")
            return
        mark = ""
        if tag == "li" and self._lists:
            mark = "- " if self._lists[-1] < 0 else f"{self._lists[-1]}. "
        indent = " " * (len(mark) if mark else 2 if tag == "dd" else 0)
        wrapped = [
            textwrap.fill(
                line,
                _WIDTH,
                initial_indent=(mark or indent) if place == 0 else indent,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
            for place, line in enumerate(lines)
        ]
        tight = tag in {"li", "tr", "dt", "dd"}
        self._blocks.append(("\x00" if tight else "") + "\n".join(wrapped))

    def text(self) -> str:
        """All blocks, a blank line between paragraphs and none between the items of a list."""
        self._flush()
        out: list[str] = []
        tight_before = False
        for block in self._blocks:
            tight = block.startswith("\x00")
            if out and not (tight and tight_before):
                out.append("")
            out.append(block.lstrip("\x00").lstrip("\n") if not out else block.lstrip("\x00"))
            tight_before = tight
        return "\n".join(out) + "\n"
