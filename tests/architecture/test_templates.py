"""Traps of the policy and of htmx that no template may step into, looked for in the sources and in the drawn pages."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest

from privacyops.adapters.pages_jinja import DOORS, JinjaPages
from tests.e2e.sample_views import GERMAN, PAGES, SCENE

ROOT: Final = Path(__file__).parents[2] / "privacyops"
TEMPLATES: Final = {
    f"{door}/{file.relative_to(ROOT / door / 'templates')}": file
    for door in DOORS
    for file in sorted((ROOT / door / "templates").rglob("*.html"))
}
SAFE_REVIEWED: Final[frozenset[str]] = frozenset()
"""Templates that may use `|safe`, each with its reason in docs/decisions. None does."""
HTMX_USED: Final = {"get", "post", "target", "select", "swap", "trigger", "indicator", "confirm", "headers", "push-url"}
TRAPS: Final = {
    "a script of its own": re.compile(r"<script(?![^>]*\ssrc=)", re.I),
    "a style element": re.compile(r"<style", re.I),
    "a style attribute": re.compile(r"\sstyle\s*=", re.I),
    "an event attribute": re.compile(r"\son[a-z]+\s*=", re.I),
    "text that htmx evaluates": re.compile(r"hx-on|\bjs:|javascript:|hx-vals|hx-trigger=\"[^\"]*\[", re.I),
    "headers that children do not inherit": re.compile(r"hx-headers=", re.I),
    "escaping switched off": re.compile(r"autoescape\s+false|\bMarkup\b", re.I),
    "a frame or plug-in": re.compile(r"<(iframe|object|embed|base)\b", re.I),
    "a file from elsewhere": re.compile(r"<(script|link|img|use)[^>]*(src|href)=[\"'](https?:)?//", re.I),
    "an import of a kit file": re.compile(r"{%-?\s*(from|import)\b"),
}


def traps(name: str, source: str) -> list[str]:
    """What is wrong with a template's source; comments of Jinja are left out."""
    code = re.sub(r"{#.*?#}", "", source, flags=re.S)
    found = [trap for trap, pattern in TRAPS.items() if pattern.search(code)]
    if re.search(r"\|\s*safe\b", code) and name not in SAFE_REVIEWED:
        found.append("|safe outside the reviewed list")
    found += [f"hx-{it}" for it in re.findall(r"\shx-([a-z-]+)", code) if it not in HTMX_USED]
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", code, re.S):
        if "csrf" not in form:
            found.append("a form without a CSRF field")
    if re.search(r"target=\"_blank\"(?![^>]*noopener)", code):
        found.append("a new tab that can reach back")
    return found


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_template_steps_into_no_trap(name: str) -> None:
    assert traps(name, TEMPLATES[name].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "bad",
    [
        "<script>go()</script>",
        "<style>p{}</style>",
        '<p style="color: red">',
        '<a onclick="go()">',
        '<a hx-on:click="go()">',
        "<a hx-get=\"/x\" hx-vals='js:{a: 1}'>",
        '<a href="javascript:go()">',
        '<a hx-get="/x" hx-trigger="click[ctrlKey]">',
        "<body hx-headers='{}'>",
        "{% autoescape false %}",
        '<iframe src="/x">',
        '<script src="https://cdn.example/x.js"></script>',
        '{% from "ui/kit/basic.html" import tag %}',
        "{{ value|safe }}",
        "{{ value | safe }}",
        '<a hx-boost="true">',
        '<form method="post" action="/x"></form>',
        '<a target="_blank" href="/x">',
    ],
)
def test_the_lint_sees_each_trap(bad: str) -> None:
    assert traps("console/x.html", bad) != []


@pytest.mark.parametrize("name", sorted(set(TEMPLATES) - {n for n in TEMPLATES if n.startswith("ui/")}))
def test_a_page_says_at_its_head_what_it_needs_and_has_a_sample(name: str) -> None:
    source = TEMPLATES[name].read_text(encoding="utf-8")
    assert source.startswith(("{#- ", "{# "))
    assert name == "demo/bar.html" or ("view: {" in source and name in {template for template, _ in PAGES.values()})


class _Page(HTMLParser):
    """The facts of a drawn page that rules are about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.fors: set[str] = set()
        self.references: set[str] = set()
        self.headings: list[str] = []
        self.attributes: set[str] = set()
        self.post_forms = self.tokens = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.attributes |= set(given)
        if "id" in given:
            self.ids.append(given["id"] or "")
        if tag == "label" and given.get("for"):
            self.fors.add(given["for"] or "")
        for name in ("aria-describedby", "aria-labelledby", "form", "popovertarget"):
            self.references |= set((given.get(name) or "").split())
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)
        self.post_forms += tag == "form" and given.get("method") == "post"
        self.tokens += tag == "input" and given.get("name") == "csrf" and bool(given.get("value"))


@pytest.fixture(scope="module")
def pages() -> JinjaPages:
    return JinjaPages()


def _drawn(pages: JinjaPages, name: str, scene: Any = SCENE) -> str:
    template, values = PAGES[name]
    return pages.render(template, scene, **values)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_drawn_page_is_whole(pages: JinjaPages, name: str) -> None:
    page = _Page(_drawn(pages, name))
    assert page.headings.count("h1") == 1
    assert len(page.ids) == len(set(page.ids))
    assert page.fors | page.references <= set(page.ids)
    assert page.post_forms == page.tokens
    assert not [it for it in page.attributes if it == "style" or it.startswith(("on", "hx-on"))]


def test_every_icon_that_a_page_shows_is_in_the_sprite(pages: JinjaPages) -> None:
    sprite = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (ROOT / "ui/static/sprite.svg").read_text(encoding="utf-8")))
    shown = {icon for name in PAGES for icon in re.findall(r"sprite\.[0-9a-f]+\.svg#([a-z0-9-]+)", _drawn(pages, name))}
    assert len(shown) > 30
    assert shown <= sprite


@pytest.mark.parametrize("name", [name for name in sorted(PAGES) if PAGES[name][0].startswith("portal/")])
def test_a_customer_page_draws_in_german(pages: JinjaPages, name: str) -> None:
    drawn = _drawn(pages, name, GERMAN)
    assert '<html lang="de"' in drawn
    assert "Zum Inhalt" in drawn
    assert "Skip to content" not in drawn


def test_every_template_compiles(pages: JinjaPages) -> None:
    for name in TEMPLATES:
        pages.environment.get_template(name)
