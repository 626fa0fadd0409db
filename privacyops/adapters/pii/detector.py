"""The detector: profiles over patterns, phones, names, addresses. Models are loaded on their first use."""

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from privacyops.adapters.pii import context, names, ner, sources
from privacyops.adapters.pii.hit import Hit, without_doubles
from privacyops.adapters.pii.models import ModelAbsent, ModelDiffers, folder_of
from privacyops.adapters.pii.patterns import PatternSet
from privacyops.adapters.pii.phones import PhoneFinder
from privacyops.adapters.pii.prefilter import IS_INSTALLED
from privacyops.adapters.pii.presidio import PHONE_OWNER, Filter, PlainPipeline, in_zones, offline
from privacyops.adapters.pii.recognizers import address, phone_cue
from privacyops.domain.catalog.models import Model, models
from privacyops.domain.classification.values import structured_type
from privacyops.domain.detection import cutting, merging
from privacyops.domain.detection.entity import LOCATION, NAMED, PERSON, entities_of, least_score
from privacyops.domain.detection.span import Detected, Profile, Source, Span
from privacyops.domain.detection.whole_words import joined, whole_words
from privacyops.ports.pii import Text

PORTION: Final = 1_024
_SPACY: Final = ("en_core_web_md", "en_core_web_sm")
_WEAKER: Final = "weaker: PERSON F2 0.72 instead of 0.90"
_REMEMBERED: Final = 4_096
_HALVES: Final = re.compile("[\ud800-\udfff]")
_SHORT: Final = 120


@dataclass(frozen=True, slots=True)
class Options:
    """How to look. `regions`: the countries whose customers the shop has. `threshold` replaces the scores from which
    each type counts. `cache`: a folder of the service's own for the compiled prefilter.
    """

    regions: tuple[str, ...] = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PL")
    entities: tuple[str, ...] = ()
    threshold: float | None = None
    is_exact: bool = True
    cache: Path | None = None
    uses_models: bool = True
    uses_rampart: bool = True
    prefilter_at_once: bool = False


class PipelineDetector:
    """PiiDetector over the packaged models. One thread at a time."""

    def __init__(self, options: Options | None = None) -> None:
        """Raises: RegionUnknown, EntityUnknown."""
        self._options = options or Options()
        if unknown := [name for name in self._options.entities if not sources.is_known(name)]:
            raise sources.EntityUnknown(", ".join(unknown))
        offline()
        self._phones = PhoneFinder(self._options.regions)
        self._notes: list[str] = []
        self._spacy = self._installed(_SPACY)
        self._rampart_model = self._installed(("rampart",)) if self._options.uses_rampart else None
        self._rampart: ner.Rampart | None = None
        self._loaded_names: names.NamesModel | None = None
        self._plain: PlainPipeline | None = None
        self._sets: dict[tuple[str, ...], tuple[PatternSet, Filter]] = {}
        self._tell_missing()

    @property
    def degraded(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def searches(self, entity: str, language: str) -> bool:
        if entity not in NAMED:
            return sources.is_known(entity)
        return self._rampart_model is not None or (self._spacy is not None and language in self._spacy.languages)

    def has_model(self, entity: str, language: str) -> bool:
        """Whether a model that knows this type well is installed: for addresses that is Rampart alone."""
        return self._rampart_model is not None or (entity == PERSON and self.searches(entity, language))

    def detect(self, texts: Iterable[Text], profile: Profile) -> Iterator[Detected]:
        remembered: dict[Text, Detected] = {}
        stream = (Text(_encodable(one.text), one.language) for one in texts)
        while portion := list(islice(stream, PORTION)):
            fresh = [one for one in dict.fromkeys(portion) if one not in remembered]
            told = dict(zip(fresh, self._all(fresh, profile), strict=True))
            for one in portion:
                yield told.get(one) or remembered[one]
            if len(remembered) < _REMEMBERED:
                remembered.update({one: answer for one, answer in told.items() if len(one.text) <= _SHORT})

    def _all(self, texts: Sequence[Text], profile: Profile) -> list[Detected]:
        if profile is Profile.STRUCTURED:
            return [self._structured(one.text) for one in texts]
        longest = cutting.LONGEST if profile is not Profile.PLAIN else names.LONGEST - cutting.OVERLAP
        pieces = [
            (at, begin, piece) for at, one in enumerate(texts) for begin, piece in cutting.pieces(one.text, longest)
        ]
        languages = [texts[at].language for at, _, _ in pieces]
        contents = [piece for _, _, piece in pieces]
        found = self._plainly(contents) if profile is Profile.PLAIN else self._looked(contents, languages, profile)
        collected: list[list[tuple[int, tuple[Span, ...]]]] = [[] for _ in texts]
        unsearched: list[dict[str, None]] = [{} for _ in texts]
        for (at, begin, _), answer in zip(pieces, found, strict=True):
            collected[at].append((begin, answer.spans))
            unsearched[at].update(dict.fromkeys(answer.unsearched))
        return [
            Detected(tuple(parts[0][1] if len(parts) == 1 else cutting.whole(parts)), tuple(missing))
            for parts, missing in zip(collected, unsearched, strict=True)
        ]

    def _structured(self, text: str) -> Detected:
        value = text.strip()
        found = structured_type(value, self._options.regions)
        wanted = self._options.entities or entities_of(Profile.STRUCTURED, ())
        if found is None or found[0] not in wanted:
            return Detected(())
        start = text.index(value)
        return Detected((Span(start, start + len(value), found[0], 1.0, "WholeValue", found[1], Source.CHECKED),))

    def _plainly(self, texts: Sequence[str]) -> Iterator[Detected]:
        if self._plain is None:
            self._plain = PlainPipeline(
                self._names_model(), self._options.cache, prefilter_at_once=self._options.prefilter_at_once
            )
        model = self._spacy.name if self._spacy else ""
        least, wanted = self._options.threshold or 0.0, self._options.entities
        owners = self._plain.patterns.recognizers
        for hits, expired in self._plain.find(texts):
            spans = [
                _plain_span(hit, owners[hit.owner].name if 0 <= hit.owner < PHONE_OWNER else "", model)
                for hit in hits
                if hit.score >= least and (not wanted or hit.type in wanted)
            ]
            yield Detected(tuple(sorted(spans, key=_place)), tuple(expired))

    def _looked(self, texts: Sequence[str], languages: Sequence[str], profile: Profile) -> list[Detected]:
        wanted = self._options.entities or entities_of(profile, self._options.regions)
        patterns, prefilter = self._set_of(wanted)
        expired: list[list[str]] = [[] for _ in texts]
        found = [
            self._by_form(text, patterns, prefilter, wanted, gone) for text, gone in zip(texts, expired, strict=True)
        ]
        if NAMED & set(wanted):
            self._by_models(texts, languages, found)
            for gone, language in zip(expired, languages, strict=True):
                gone.extend(
                    f"{name}: no model for {language}"
                    for name in sorted(NAMED & set(wanted))
                    if not self.searches(name, language)
                )
        return [
            Detected(tuple(self._settled(text, spans, wanted, profile)), tuple(gone))
            for text, spans, gone in zip(texts, found, expired, strict=True)
        ]

    def _by_form(
        self, text: str, patterns: PatternSet, prefilter: Filter, wanted: Collection[str], expired: list[str]
    ) -> list[Span]:
        hits = list(patterns.find(text, prefilter.possible(text), expired))
        words = {owner: tuple(one.context or ()) for owner, one in enumerate(patterns.recognizers)}
        context.raise_by_words(text, hits, words)
        found = [sources.from_pattern(hit, patterns.recognizers[hit.owner].name) for hit in without_doubles(hits)]
        if "PHONE_NUMBER" in wanted:
            phones = without_doubles(self._phones.find(text))
            for hit in phones:
                hit.owner = PHONE_OWNER
                hit.score = phone_cue.plan_score(text[hit.start : hit.end], hit.score)
            context.raise_by_words(text, phones, {PHONE_OWNER: phone_cue.CUES})
            found.extend(sources.from_phone(hit) for hit in phones)
            found.extend(sources.from_rule(hit, phone_cue.NAME) for hit in phone_cue.by_cue(text))
        if LOCATION in wanted:
            found.extend(sources.from_rule(hit, address.NAME) for hit in address.addresses(text))
        return found

    def _by_models(self, texts: Sequence[str], languages: Sequence[str], found: Sequence[list[Span]]) -> None:
        rampart = self._rampart_loaded()
        if rampart is not None:
            for text, spans, labelled in zip(texts, found, rampart.find(texts), strict=True):
                spans.extend(span for one in labelled if (span := sources.from_rampart(text, one)) is not None)
        model = self._names_model()
        if model is None or self._spacy is None:
            return
        spoken = [at for at, language in enumerate(languages) if language in self._spacy.languages]
        places = iter(spoken)
        for some in in_zones([texts[at] for at in spoken]):
            with model.zone():
                for document in model.read(some):
                    spans = found[next(places)]
                    spans.extend(
                        sources.from_names(
                            Hit(one.start, one.end, one.type, sources.MODEL_SCORE, -1, one.label), self._spacy.name
                        )
                        for one in names.entities(document)
                    )

    def _settled(self, text: str, spans: Sequence[Span], wanted: Collection[str], profile: Profile) -> list[Span]:
        least = self._options.threshold
        counted = [
            one for one in spans
            if one.type in wanted
            and one.score >= (least_score(one.type) if least is None else least)
            and (one.type != PERSON or any(map(str.isalpha, text[one.start : one.end])))
        ]  # fmt: skip
        by_source = [
            one
            for source in Source
            for one in joined(text, whole_words(text, [each for each in counted if each.source is source]), NAMED)
        ]
        if profile is Profile.REDACT:
            return joined(text, merging.union(by_source), NAMED)
        if self._rampart_model is not None:
            by_source = [one for one in by_source if one.source is not Source.NAMES or one.type == PERSON]
        return merging.best(by_source)

    def _set_of(self, wanted: tuple[str, ...]) -> tuple[PatternSet, Filter]:
        if wanted not in self._sets:
            patterns = PatternSet(sources.recognizers_of(wanted))
            self._sets[wanted] = (
                patterns,
                Filter(patterns, self._options.cache, at_once=self._options.prefilter_at_once),
            )
        return self._sets[wanted]

    def _installed(self, candidates: Sequence[str]) -> Model | None:
        """The first of the models whose distribution is there."""
        if not self._options.uses_models:
            return None
        for name in candidates:
            with contextlib.suppress(ModelAbsent):
                folder_of(models()[name])
                return models()[name]
        return None

    def _names_model(self) -> names.NamesModel | None:
        if self._loaded_names is None and self._spacy is not None:
            try:
                self._loaded_names = names.load(self._spacy, is_exact=self._options.is_exact)
            except (ModelDiffers, ModelAbsent) as refused:
                self._notes.append(f"model refused: {refused}. Install privacyops[{self._spacy.extra}] anew.")
                self._spacy = None
        return self._loaded_names

    def _rampart_loaded(self) -> ner.Rampart | None:
        if self._rampart is None and self._rampart_model is not None:
            try:
                self._rampart = ner.load(self._rampart_model)
            except (ModelDiffers, ModelAbsent) as refused:
                self._notes.append(f"model refused: {refused}. Install privacyops[{self._rampart_model.extra}] anew.")
                self._rampart_model = None
        return self._rampart

    def _tell_missing(self) -> None:
        missing = [
            one.extra
            for name in ("en_core_web_md", "rampart")
            if (one := models()[name]) not in (self._spacy, self._rampart_model)
        ]
        if self._spacy is None and self._rampart_model is None:
            self._notes.append("names and addresses: no model; patterns only. Install privacyops[pii-names].")
        elif self._rampart_model is None and missing:
            self._notes.append(
                f"names in English: {self._spacy.name if self._spacy else ''} ({_WEAKER}). "
                f"Install privacyops[{','.join(missing)}]."
            )
        if self._rampart_model is None:
            self._notes.append("names in other languages than English: no model; patterns only.")
        if not IS_INSTALLED:
            self._notes.append("prefilter: hyperscan missing; same results, slower.")


def _encodable(text: str) -> str:
    """The text with halves of characters, which no encoding knows, as the sign for a lost one; offsets stay."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _HALVES.sub("\ufffd", text)
    return text


def _plain_span(hit: Hit, recognizer: str, model: str) -> Span:
    if hit.owner == PHONE_OWNER:
        return sources.from_phone(hit)
    if hit.owner < 0:
        return sources.from_names(hit, model)
    return replace(sources.from_pattern(hit, recognizer), score=hit.score)


def _place(span: Span) -> tuple[int, int, str]:
    return span.start, span.end, span.type
