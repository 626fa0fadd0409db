"""The Jinja environment: escaping, undefined values, languages, fragments, hashed static files."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from privacyops.adapters.pages_jinja import JinjaPages
from privacyops.ports.pages import Pages, Scene
from tests.e2e.sample_views import GERMAN, PAGES, SCENE


@pytest.fixture(scope="module")
def pages() -> JinjaPages:
    return JinjaPages()


def draw(pages: JinjaPages, source: str, **values: object) -> str:
    return pages.environment.from_string(source).render(values)


def test_it_is_the_port(pages: JinjaPages) -> None:
    port: Pages = pages
    assert port.static("x") is None


def test_a_value_is_escaped(pages: JinjaPages) -> None:
    assert draw(pages, "{{ it }}", it="<script>") == "&lt;script&gt;"


def test_a_missing_value_is_an_error_and_not_an_empty_word(pages: JinjaPages) -> None:
    with pytest.raises(UndefinedError):
        draw(pages, "{{ view.name }}", view={})


def test_an_entry_of_a_view_comes_before_a_method_of_the_dictionary(pages: JinjaPages) -> None:
    assert draw(pages, "{{ view.values.items }}", view={"values": {"items": "found"}}) == "found"


@pytest.mark.parametrize("name", ["../settings.py", "console/../../settings.py", "/etc/passwd", "console"])
def test_only_templates_can_be_named(pages: JinjaPages, name: str) -> None:
    with pytest.raises(TemplateNotFound):
        pages.render(name, SCENE)


def test_a_static_name_carries_the_hash_of_its_bytes(pages: JinjaPages) -> None:
    address = draw(pages, "{{ asset('tokens.css') }}")
    found = pages.static(address.removeprefix("/static/"))
    assert found is not None
    assert hashlib.sha256(found.body).hexdigest()[:16] in found.name
    assert found.media_type == "text/css; charset=utf-8"


@pytest.mark.parametrize("name", ["tokens.css", "../settings.py", "vendor-manifest.json", "vendor/htmx.min.js", ""])
def test_no_other_name_is_served(pages: JinjaPages, name: str) -> None:
    assert pages.static(name) is None


def test_an_asset_that_does_not_exist_breaks_the_page_at_once(pages: JinjaPages) -> None:
    with pytest.raises(KeyError):
        draw(pages, "{{ asset('none.css') }}")


def test_a_fragment_is_the_same_text_as_in_the_page(pages: JinjaPages) -> None:
    template, values = PAGES["queue"]
    fragment = pages.fragment(template, "list", SCENE, **values)
    assert fragment.startswith('<div id="list"')
    assert fragment in pages.render(template, SCENE, **values)


def test_a_language_without_a_catalogue_shows_english(pages: JinjaPages) -> None:
    template, values = PAGES["privacy"]
    french = pages.render(template, Scene(now=SCENE.now, locale="fr"), **values)
    assert "What would you like to do?" in french


def test_a_regional_tag_takes_the_language_of_its_parent(pages: JinjaPages) -> None:
    template, values = PAGES["privacy"]
    austrian = pages.render(template, Scene(now=SCENE.now, locale="de-AT"), **values)
    assert "Was möchten Sie tun?" in austrian


def test_pages_drawn_side_by_side_keep_their_languages(pages: JinjaPages) -> None:
    template, values = PAGES["privacy"]
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda scene: pages.render(template, scene, **values), [SCENE, GERMAN] * 20))
    assert ["Was möchten Sie tun?" in it for it in drawn] == [False, True] * 20


def test_a_page_says_for_when_it_was_drawn(pages: JinjaPages) -> None:
    template, values = PAGES["home"]
    later = Scene(now=datetime(2027, 1, 2, 3, 4, tzinfo=UTC))
    assert "Sat 2 Jan 2027 03:04 UTC" in pages.render(template, later, **values)
