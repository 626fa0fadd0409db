"""Pages drawn by Jinja2: one environment for console, portal and demo, built once by bootstrap.

Templates address one another as `<door>/<file>`: `ui/layout.html`, `console/queue.html`. Everything is
escaped; an undefined value is an error; the macros of `ui/kit/` are at hand everywhere as `kit`.
"""

import gettext
import hashlib
import io
import mimetypes
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import SimpleNamespace
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound

from privacyops.adapters import pages_words as words
from privacyops.ports.pages import Scene, StaticFile

DOORS: Final = ("ui", "console", "portal", "demo")
KIT: Final = ("ui/kit/basic.html", "ui/kit/forms.html", "ui/kit/lists.html", "ui/kit/cards.html")
STATIC_PREFIX: Final = "/static/"
_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_scene: ContextVar[Scene] = ContextVar("scene")


class _PackageFiles(BaseLoader):
    """Templates out of the installed package, by door; no path of a caller reaches the file system."""

    def __init__(self, root: Traversable) -> None:
        self._sources: dict[str, Traversable] = {}
        for door in DOORS:
            folder = root / door / "templates"
            if folder.is_dir():
                self._sources |= {f"{door}/{name}": file for name, file in _walk(folder)}

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, None]:
        try:
            file = self._sources[template]
        except KeyError:
            raise TemplateNotFound(template) from None
        return file.read_text(encoding="utf-8"), template, None

    def list_templates(self) -> list[str]:
        return sorted(self._sources)


class _KeysFirst(Environment):
    """`view.values` is the entry of a dictionary before it is its method: views name things plainly."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


class JinjaPages:
    """The port `Pages`. Safe to share between threads: the scene of a page lives in a context variable."""

    def __init__(self) -> None:
        root = files("privacyops")
        self._static, self._urls = _assets(root / "ui" / "static")
        self._catalogues = _Catalogues(root / "ui" / "locale")
        self.environment = _environment(_PackageFiles(root), self._url, self._catalogues)

    def render(self, template: str, scene: Scene, /, **values: object) -> str:
        held = _scene.set(scene)
        try:
            return self.environment.get_template(template).render(values)
        finally:
            _scene.reset(held)

    def fragment(self, template: str, block: str, scene: Scene, /, **values: object) -> str:
        held = _scene.set(scene)
        try:
            found = self.environment.get_template(template)
            return "".join(found.blocks[block](found.new_context(values)))
        finally:
            _scene.reset(held)

    def words(self, locale: str) -> gettext.NullTranslations:
        return self._catalogues.of(locale)

    def languages(self) -> list[str]:
        return self._catalogues.languages()

    def static(self, name: str) -> StaticFile | None:
        return self._static.get(name)

    def _url(self, path: str) -> str:
        return STATIC_PREFIX + self._urls[path]


class _Catalogues:
    """Translations by language; msgids are English, so a missing catalogue shows English."""

    def __init__(self, folder: Traversable) -> None:
        self._folder = folder
        self._read = cache(self._load)

    def languages(self) -> list[str]:
        """English and every language with a catalogue."""
        return ["en", *sorted(entry.name for entry in self._folder.iterdir() if entry.is_dir())]

    def now(self) -> gettext.NullTranslations:
        return self.of(_scene.get().locale)

    def of(self, locale: str) -> gettext.NullTranslations:
        return self._read(locale.replace("_", "-").partition("-")[0].lower())

    def _load(self, language: str) -> gettext.NullTranslations:
        source = self._folder / language / "LC_MESSAGES" / "privacyops.po"
        if not language.isalpha() or not source.is_file():
            return gettext.NullTranslations()
        compiled = io.BytesIO()
        with source.open("rb") as written:
            write_mo(compiled, read_po(written, locale=language))
        compiled.seek(0)
        return gettext.GNUTranslations(compiled)


def _environment(loader: _PackageFiles, url: Callable[[str], str], catalogues: _Catalogues) -> Environment:
    made = _KeysFirst(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    made.install_gettext_callables(  # type: ignore[attr-defined] # added to the environment by jinja2.ext.i18n
        lambda text: catalogues.now().gettext(text),
        lambda one, many, count: catalogues.now().ngettext(one, many, count),
        newstyle=True,
        pgettext=lambda context, text: catalogues.now().pgettext(context, text),
    )
    made.globals |= {"asset": url, "scene": _scene.get, "languages": catalogues.languages}
    made.filters.update(_filters(catalogues))
    kit = made.globals["kit"] = SimpleNamespace()
    for file in KIT:  # macros of one file may call those of another: by the time a page is drawn all are there
        macros = vars(made.get_template(file).module)
        vars(kit).update({name: macro for name, macro in macros.items() if not name.startswith("_")})
    return made


def _filters(catalogues: _Catalogues) -> dict[str, Callable[..., object]]:
    return {
        "day": lambda at: words.day(at, _scene.get()),
        "day_short": lambda at: words.day_short(at, _scene.get()),
        "moment": lambda at: words.moment(at, _scene.get()),
        "moment_long": lambda at: words.moment_long(at, _scene.get()),
        "iso": words.iso,
        "number": lambda value: words.number(value, _scene.get()),
        "size": lambda value: words.size(value, _scene.get()),
        "visible": words.visible,
        "distance": lambda at: words.distance(at, _scene.get(), catalogues.now()),
        "due_tag": lambda clock: words.due_tag(clock, _scene.get(), catalogues.now()),
        "language_name": _language_name,
    }


def _language_name(tag: str) -> str:
    """A language's name in itself: `Deutsch`."""
    try:
        return (Locale.parse(tag, sep="-").get_display_name(tag) or tag).title()
    except (UnknownLocaleError, ValueError):
        return tag


def _assets(folder: Traversable) -> tuple[dict[str, StaticFile], dict[str, str]]:
    """Every static file by its hashed name, and the hashed name by path."""
    served: dict[str, StaticFile] = {}
    named: dict[str, str] = {}
    for path, file in _walk(folder):
        stem, dot, ending = path.rpartition(".")
        media = _MEDIA_TYPES.get(dot + ending) or mimetypes.guess_type(path)[0]
        if media is None or ending not in {"css", "js", "svg", "png", "woff2"}:
            continue
        body = file.read_bytes()
        name = f"{stem.replace('/', '-')}.{hashlib.sha256(body).hexdigest()[:16]}.{ending}"
        served[name] = StaticFile(name, media, body)
        named[path] = name
    return served, named


def _walk(folder: Traversable, prefix: str = "") -> Iterable[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda found: found.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry
