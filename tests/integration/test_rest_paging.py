"""The pages of a web service: what ends them, and what must not pass for their end."""

from pathlib import Path
from typing import Any

import pytest

from privacyops.connector_sdk import EVERY_ROW, Hit, Page, Terminal
from privacyops.connector_sdk.testing.bench import GivenSecrets, Spy
from tests.contract.rest_bench import MANIFESTS, Postbird, PostbirdBench
from tests.rest_fake import Asked, Told

LISTED = 'bulk: {call: "GET /v2/bulk", rows: data, page: {cursor: meta.next, param: after}}'


class Paged(Postbird):
    """Answers with a page of a script, by the value of the parameter that leads to it."""

    def __init__(self, pages: dict[str, Any], name: str) -> None:
        self.pages, self.name = pages, name
        super().__init__()

    def bulk_listed(self, asked: Asked) -> Any:
        return self.pages.get(asked.query.get(self.name, ""), Told({"error": {"code": "not_found"}}, 404))


def page(*numbers: int, **meta: Any) -> dict[str, Any]:
    return {"data": [{"id": at, "label": f"label {at}"} for at in numbers], "meta": meta}


def listed(tmp_path: Path, pages: dict[str, Any], style: str, name: str) -> list[Any]:
    """The numbers of every row that a search of the whole resource sees."""
    text = (MANIFESTS / "postbird.yaml").read_text()
    assert LISTED in text
    own = tmp_path / "own.yaml"
    own.write_text(text.replace(LISTED, LISTED.replace("cursor: meta.next, param: after", style)))
    bench = PostbirdBench()
    service = Paged(pages, name)
    store = service.connector(bench.clock).open({**bench.config(), "manifest": str(own)}, GivenSecrets(bench.secrets()))
    found = store.find(Spy().call(), "bulk", EVERY_ROW, (), Page(100))
    return [item.values["id"] for item in found if isinstance(item, Hit)]


CURSOR = "cursor: meta.next, param: after"


def test_an_empty_page_that_names_the_next_one_is_not_the_last(tmp_path: Path) -> None:
    pages = {"": page(1, next="b"), "b": page(next="c"), "c": page(2, next=None)}
    assert listed(tmp_path, pages, CURSOR, "after") == [1, 2]


def test_an_empty_counted_page_is_not_the_last_while_the_answer_says_that_more_follows(tmp_path: Path) -> None:
    pages = {"1": page(1, more=True), "2": page(more=True), "3": page(2, more=False)}
    assert listed(tmp_path, pages, "number: page, size: 1, more: meta.more", "page") == [1, 2]


@pytest.mark.parametrize("status", [404, 410])
def test_a_later_page_that_is_not_there_is_no_end(tmp_path: Path, status: int) -> None:
    pages = {"": page(1, next="b"), "b": Told({"error": {"code": "expired"}}, status)}
    with pytest.raises(Terminal, match="page_gone"):
        listed(tmp_path, pages, CURSOR, "after")


def test_a_first_page_that_is_not_there_is_an_empty_list(tmp_path: Path) -> None:
    assert listed(tmp_path, {}, CURSOR, "after") == []


def test_a_page_that_is_shorter_than_asked_for_is_not_the_last_by_number(tmp_path: Path) -> None:
    pages = {"1": page(1, 2), "2": page(3, 4), "3": page(5), "4": page()}
    assert listed(tmp_path, pages, "number: page, size: 100", "page") == [1, 2, 3, 4, 5]


def test_a_page_that_is_shorter_than_asked_for_is_not_the_last_by_offset(tmp_path: Path) -> None:
    pages = {"": page(1, 2), "2": page(3, 4), "4": page(5), "5": page()}
    assert listed(tmp_path, pages, "offset: offset, size: 100", "offset") == [1, 2, 3, 4, 5]


def test_more_that_leads_nowhere_is_an_error_and_no_end(tmp_path: Path) -> None:
    for meta in ({"next": None}, {"next": "b"}):
        pages = {"": page(1, next="b", more=True), "b": page(2, more=True, **meta)}
        with pytest.raises(Terminal, match="page_repeats"):
            listed(tmp_path, pages, CURSOR + ", more: meta.more", "after")


def test_a_service_that_counts_no_pages_is_not_asked_for_ever(tmp_path: Path) -> None:
    pages = {str(number): page(1, 2) for number in range(1, 50)}
    with pytest.raises(Terminal, match="page_repeats"):
        listed(tmp_path, pages, "number: page, size: 2", "page")
