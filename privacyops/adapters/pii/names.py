"""A spaCy model, run for no more than a text needs.

Presidio runs the whole pipeline over each text. Here entities come first and alone. Sentence starts matter to them
only in one way: an entity may not reach over one. So the parser is run only for texts with an entity of several
words, and the entities are looked for again only where a sentence starts inside one. Taggers and lemmatizers are run
only for texts where a word could be a context word in any of its readings.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy
import spacy
from thinc.api import NumpyOps

from privacyops.adapters.pii.models import folder_of, verified
from privacyops.domain.catalog.models import Model

BATCH: Final = 128
LONGEST: Final = 1_000_000
"""Characters of a text that spaCy takes."""
_LABELS: Final = {
    "PER": "PERSON", "PERSON": "PERSON", "LOC": "LOCATION", "LOCATION": "LOCATION", "GPE": "LOCATION",
    "ORG": "ORGANIZATION", "DATE": "DATE_TIME", "TIME": "DATE_TIME", "NORP": "NRP",
}  # fmt: skip
"""As Presidio maps them; other labels are dropped by it too."""


@dataclass(frozen=True, slots=True)
class Entity:
    """Code points `start` to `end` are a `type`; `label` is the model's own word for it."""

    start: int
    end: int
    type: str
    label: str


@dataclass(frozen=True, slots=True)
class Words:
    """The tokens of a text: where each begins, what it is, and its lemma where the tagger ran."""

    starts: tuple[int, ...]
    tokens: tuple[str, ...]
    lemmas: tuple[str, ...]
    keywords: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a word may be to the tagger: the lemmas it may get, in lower case, and whether each or any is a keyword."""

    lemmas: frozenset[str]
    is_keyword: bool
    may_be_keyword: bool


class _Products(NumpyOps):  # type: ignore[misc]  # the library has no types
    """Matrix products by numpy's library, which takes a third of the time of the one that spaCy brings.

    Rounding differs in the last bit, as it does between two processors. No entity of the development texts does.
    """

    name = "numpy"

    def gemm(self, x: Any, y: Any, out: Any = None, trans1: bool = False, trans2: bool = False) -> Any:
        """As thinc has it."""
        if x.ndim != 2 or y.ndim != 2:
            return super().gemm(x, y, out=out, trans1=trans1, trans2=trans2)
        return numpy.matmul(x.T if trans1 else x, y.T if trans2 else y, out=out)


class NamesModel:
    """One loaded pipeline. One thread at a time."""

    def __init__(self, language: Any, *, is_exact: bool = True) -> None:
        self._language = language
        for _, component in language.pipeline:
            if model := getattr(component, "model", None):
                model._to_ops(_Products())  # noqa: SLF001 - thinc's way to move a model
        self._is_exact = is_exact and "parser" in language.pipe_names
        self._lookups = language.get_pipe("lemmatizer").lookups
        self._readings: dict[str, Reading] = {}
        self._ruled = _ruled(language.get_pipe("attribute_ruler").patterns)

    def zone(self) -> AbstractContextManager[Any]:
        """Inside it new words of the vocabulary are held, after it they are let go: take plain values out before."""
        zone: AbstractContextManager[Any] = self._language.memory_zone()
        return zone

    def read(self, texts: Sequence[str]) -> list[Any]:
        """The texts with their entities, as documents of this zone."""
        ner = self._language.get_pipe("ner")
        documents = [self._language.make_doc(text) for text in texts]
        _parse(ner, documents)
        if self._is_exact:
            crossing = self._crossing([one for one in documents if any(len(entity) > 1 for entity in one.ents)])
            for document in crossing:
                document.set_ents([], default="missing")
            _parse(ner, crossing)
        return documents

    def _crossing(self, documents: Sequence[Any]) -> list[Any]:
        """Those in which a sentence starts inside an entity."""
        self._parse_sentences(documents)
        return [
            one for one in documents
            if any(one[at].is_sent_start for entity in one.ents for at in range(entity.start + 1, entity.end))
        ]  # fmt: skip

    def _parse_sentences(self, documents: Sequence[Any]) -> None:
        self._run((), documents)
        _parse(self._language.get_pipe("parser"), documents)

    def lemmatize(self, documents: Sequence[Any]) -> None:
        """Find the lemmas of these documents."""
        if self._is_exact:  # some rules for lemmas ask what the parser made of the word
            self._parse_sentences([one for one in documents if not one.has_annotation("DEP")])
        self._run(("tagger", "attribute_ruler", "lemmatizer"), documents)

    def _run(self, names: Sequence[str], documents: Sequence[Any]) -> None:
        # Both the parser and the tagger read the vectors of `tok2vec`, which stay with a document
        fresh = [one for one in documents if not one.tensor.size]
        for _ in self._language.get_pipe("tok2vec").pipe(iter(fresh), batch_size=BATCH):
            pass
        stream: Iterator[Any] = iter(documents)
        for name in names:
            stream = self._language.get_pipe(name).pipe(stream, batch_size=BATCH)
        for _ in stream:
            pass

    def words(self, document: Any) -> Words:
        """The tokens and lemmas; keywords as Presidio has them: lemmas that are no stop words and no punctuation."""
        lemmas = tuple(token.lemma_ for token in document)
        keywords = {part for lemma in set(lemmas) if self._is_keyword(lemma) for part in lemma.lower().split(":")}
        return Words(
            tuple(token.idx for token in document), tuple(token.text for token in document), lemmas, frozenset(keywords)
        )

    def reading(self, token: str) -> Reading:
        """Every lemma that the rules or the lemmatizer may give the word, whatever its part of speech."""
        found = self._readings.get(token)
        if found is None:
            lemmas = self._all_readings(token.lower())
            keywords = [self._is_keyword(lemma) for lemma in lemmas]
            found = self._readings[token] = Reading(lemmas, all(keywords), any(keywords))
        return found

    def _is_keyword(self, lemma: str) -> bool:
        word = self._language.vocab[lemma]
        return lemma not in {"-PRON-", "be"} and not word.is_stop and not word.is_punct

    def forget(self) -> None:
        """Let go of the words that were looked up."""
        self._readings.clear()

    def _all_readings(self, word: str) -> frozenset[str]:
        found = {word, *(lemma for words, lemma in self._ruled if words.search(word))}
        exceptions, rules = self._lookups.get_table("lemma_exc", {}), self._lookups.get_table("lemma_rules", {})
        for part in exceptions:
            found.update(form.lower() for form in exceptions[part].get(word, ()))
        for part in rules:
            found.update(word[: len(word) - len(old)] + new for old, new in rules[part] if word.endswith(old))
        return frozenset(found - {""})


def _parse(component: Any, documents: Sequence[Any]) -> None:
    """What the component's own `pipe` does, in less than half the time: all texts of a batch take each step together.

    Its own loop lets go of Python's lock and takes it back several times a word.
    """
    worded = [one for one in documents if len(one)]
    for at in range(0, len(worded), BATCH):
        some = worded[at : at + BATCH]
        every = component.moves.init_batch(some)
        model = component.model.predict(some)
        states = [state for state in every if not state.is_final()]
        while states:
            states = component.transition_states(states, model.predict(states))
        model.clear_memory()
        component.set_annotations(some, every)


def _ruled(patterns: Sequence[Mapping[str, Any]]) -> Sequence[tuple[re.Pattern[str], str]]:
    """The lemmas that an attribute ruler gives by itself, each with the words in lower case that may get it."""
    return [
        (re.compile(_words_of(pattern[one["index"]].get("LOWER", {"REGEX": ""}))), one["attrs"]["LEMMA"].lower())
        for one in patterns
        if "LEMMA" in one["attrs"]
        for pattern in one["patterns"]
    ]


def _words_of(said: str | Mapping[str, Any]) -> str:
    """A condition of spaCy's matcher on a word, as an expression; one that is not known here is met by every word."""
    if isinstance(said, str):
        return f"^{re.escape(said)}$"
    if set(said) == {"IN"}:
        return f"^(?:{'|'.join(map(re.escape, said['IN']))})$"
    return str(said["REGEX"]) if set(said) == {"REGEX"} else ""


def entities(document: Any) -> list[Entity]:
    """The entities whose label has a type."""
    return [
        Entity(one.start_char, one.end_char, _LABELS[one.label_], one.label_)
        for one in document.ents
        if one.label_ in _LABELS
    ]


def load(model: Model, *, is_exact: bool = True) -> NamesModel:
    """Raises: ModelAbsent, ModelDiffers."""
    return NamesModel(load_language(model), is_exact=is_exact)


def load_language(model: Model) -> Any:
    """The pipeline as spaCy loads it, after its weights were compared with the catalog."""
    root = verified(model, _root_of(model))
    first = next(iter(model.sha256))
    return spacy.load(root / Path(first).parent.parent)


def _root_of(model: Model) -> Path:
    folder = folder_of(model)
    first = next(iter(model.sha256))
    if (folder / first).is_file():
        return folder
    # The wheel lays its model into a folder of its own: the recorded paths are told from there
    package = folder / model.distribution.replace("-", "_")
    inner = sorted(package.rglob(first)) if package.is_dir() else []
    return inner[0].parents[len(Path(first).parts) - 1] if inner else folder
