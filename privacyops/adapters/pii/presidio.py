"""Presidio's English recognizers as one pipeline whose results are those of its own engine, faster.

`AnalyzerEngine.analyze` is the measure: same places, types and scores for every text. `plain_engine` makes that very
engine, for tests and for the benchmark.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import spacy
import tldextract
from presidio_analyzer import (
    AnalyzerEngine,
    BatchAnalyzerEngine,
    LocalRecognizer,
    PatternRecognizer,
    RecognizerRegistry,
)
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import PhoneRecognizer
from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider

from privacyops.adapters.pii import context as contexts
from privacyops.adapters.pii.hit import Hit, without_doubles
from privacyops.adapters.pii.names import NamesModel, entities
from privacyops.adapters.pii.patterns import PatternSet
from privacyops.adapters.pii.phones import PhoneFinder
from privacyops.adapters.pii.prefilter import IS_INSTALLED, Prefilter, is_kept

PHONE_OWNER: Final = 1_000
MODEL_SCORE: Final = 0.85
_ZONE_TEXTS: Final = 1_024
_ZONE_LETTERS: Final = 2_000_000
_WORTH_COMPILING: Final = 20_000
"""Texts after which compiling the prefilter has paid for itself: seconds of CPU against tens of microseconds each."""


def offline() -> None:
    """Keep what checks domain names of addresses from fetching its list: the copy that it carries is used."""
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)


class Filter:
    """The prefilter of a set: loaded where it lies compiled, compiled where the number of texts is worth it."""

    def __init__(self, patterns: PatternSet, folder: Path | None, *, at_once: bool = False) -> None:
        self._patterns, self._folder = patterns, folder
        self._texts = 0
        ready = IS_INSTALLED and (at_once or is_kept(patterns.patterns, folder))
        self._prefilter = Prefilter(patterns.patterns, folder) if ready else None

    def possible(self, text: str) -> set[int] | None:
        """As `Prefilter.possible`; None too while there is none."""
        if self._prefilter is None:
            self._texts += 1
            if not IS_INSTALLED or self._texts < _WORTH_COMPILING:
                return None
            self._prefilter = Prefilter(self._patterns.patterns, self._folder)
        return self._prefilter.possible(text)


class PlainPipeline:
    """What `AnalyzerEngine.analyze(text, "en")` returns, for many texts. One thread at a time."""

    def __init__(self, names: NamesModel | None, cache: Path | None, *, prefilter_at_once: bool = False) -> None:
        """Without a model: as the engine with a blank English pipeline, which has no lemmas and so no context."""
        offline()
        found = default_recognizers()
        self.patterns = PatternSet([one for one in found if isinstance(one, PatternRecognizer)])
        self._filter = Filter(self.patterns, cache, at_once=prefilter_at_once)
        self._phones = PhoneFinder(PhoneRecognizer.DEFAULT_SUPPORTED_REGIONS)
        self._names = names
        words = {owner: tuple(one.context or ()) for owner, one in enumerate(self.patterns.recognizers)}
        words[PHONE_OWNER] = tuple(PhoneRecognizer.CONTEXT)
        self._contexts: Mapping[int, tuple[str, ...]] = words

    def find(self, texts: Sequence[str]) -> Iterator[tuple[list[Hit], list[str]]]:
        """One answer for each text, in order: what was found, and which patterns ran out of time."""
        for some in in_zones(texts):
            yield from self._batch(some)
        if self._names:
            self._names.forget()

    def _batch(self, texts: Sequence[str]) -> list[tuple[list[Hit], list[str]]]:
        expired: list[list[str]] = [[] for _ in texts]
        found = [self._by_patterns(text, gone) for text, gone in zip(texts, expired, strict=True)]
        if self._names is not None:
            with self._names.zone():
                documents = self._names.read(texts)
                self._raise(documents, found)
                for hits, document in zip(found, documents, strict=True):
                    hits.extend(
                        Hit(one.start, one.end, one.type, MODEL_SCORE, -1, one.label) for one in entities(document)
                    )
                del documents
        return [(without_doubles(hits), gone) for hits, gone in zip(found, expired, strict=True)]

    def _by_patterns(self, text: str, expired: list[str]) -> list[Hit]:
        hits = list(self.patterns.find(text, self._filter.possible(text), expired))
        phones = without_doubles(self._phones.find(text))
        for hit in phones:
            hit.owner = PHONE_OWNER
        return hits + phones

    def _raise(self, documents: Sequence[Any], found: Sequence[list[Hit]]) -> None:
        names = self._names
        assert names is not None  # noqa: S101 - asked by the caller
        unsure = [
            (document, hits)
            for document, hits in zip(documents, found, strict=True)
            if any(self._contexts.get(hit.owner) for hit in hits)
            and not contexts.raise_by_readings(hits, names.words(document), names.reading, self._contexts)
        ]
        names.lemmatize([document for document, _ in unsure])
        for document, hits in unsure:
            contexts.raise_by_lemmas(hits, names.words(document), self._contexts)


def in_zones(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in portions that are held in memory together."""
    begin = size = 0
    for at, text in enumerate(texts):
        if at > begin and (at - begin >= _ZONE_TEXTS or size + len(text) > _ZONE_LETTERS):
            yield texts[begin:at]
            begin, size = at, 0
        size += len(text)
    if begin < len(texts):
        yield texts[begin:]


def default_recognizers() -> list[LocalRecognizer]:
    """The recognizers that Presidio loads for English when it is told nothing."""
    provider = RecognizerRegistryProvider(registry_configuration={"supported_languages": ["en"]})
    return [one for one in provider.create_recognizer_registry().recognizers if one.supported_language == "en"]


class _Loaded(SpacyNlpEngine):  # type: ignore[misc]  # the library has no types
    """Presidio's engine over a pipeline that is loaded already."""

    def __init__(self, language: Any) -> None:
        super().__init__(
            models=[{"lang_code": "en", "model_name": "loaded"}], ner_model_configuration=NerModelConfiguration()
        )
        self.nlp = {"en": language}

    def load(self) -> None:
        """It is."""


def plain_engine(language: Any) -> AnalyzerEngine:
    """Presidio as it comes, over this spaCy pipeline."""
    offline()
    engine = _Loaded(language)
    registry: RecognizerRegistry = RecognizerRegistryProvider(
        registry_configuration={"supported_languages": ["en"]}
    ).create_recognizer_registry()
    registry.add_nlp_recognizer(engine)
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def patterns_engine() -> AnalyzerEngine:
    """Presidio with its patterns alone: over an English pipeline that knows words but no names and no lemmas."""
    engine = plain_engine(spacy.blank("en"))
    engine.registry.remove_recognizer("SpacyRecognizer")
    return engine


def batch_engine(engine: AnalyzerEngine) -> BatchAnalyzerEngine:
    """Presidio's own way with many texts."""
    return BatchAnalyzerEngine(engine)
