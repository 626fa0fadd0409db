"""Names, addresses and numbers by the model Rampart, in any language of Latin script.

The model is run from the files of its distribution, whose code is not imported: that would load a client of a remote
service. Windows and the joining of word pieces are those of its own runner, whose results tests compare.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy
import onnxruntime
from tokenizers import Tokenizer

from privacyops.adapters.pii.models import folder_of, verified
from privacyops.domain.catalog.models import Model

WINDOW: Final = 480
OVERLAP: Final = 64
TOKENS: Final = 510
BATCH: Final = 16
THRESHOLD: Final = 0.5


@dataclass(slots=True)
class Labelled:
    """Code points `start` to `end` carry a label of the model, with the least probability of their tokens."""

    start: int
    end: int
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class _Window:
    text: int
    offset: int
    ids: Sequence[int]
    places: Sequence[tuple[int, int]]
    piece: str


class Rampart:
    """The loaded model. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._labels = [config["id2label"][str(number)] for number in range(len(config["id2label"]))]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._begin, self._end = (self._tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {one.name for one in self._session.get_inputs()}

    def find(self, texts: Sequence[str]) -> list[list[Labelled]]:
        """What each text holds, in order of place."""
        windows = [window for number, text in enumerate(texts) for window in self._windows(number, text)]
        found: list[list[Labelled]] = [[] for _ in texts]
        several = [0] * len(texts)
        order = sorted(range(len(windows)), key=lambda at: len(windows[at].ids))
        told: dict[int, list[Labelled]] = {}
        for begin in range(0, len(order), BATCH):
            some = order[begin : begin + BATCH]
            told.update(zip(some, self._classify([windows[at] for at in some]), strict=True))
        for at, window in enumerate(windows):
            found[window.text].extend(told[at])
            several[window.text] += 1
        return [_over_windows(spans) if several[at] > 1 else spans for at, spans in enumerate(found)]

    def _windows(self, number: int, text: str) -> Iterator[_Window]:
        for offset in _starts(len(text)):
            piece = text[offset : offset + WINDOW]
            encoded = self._tokenizer.encode(piece, add_special_tokens=False)
            ids, places, words = encoded.ids, encoded.offsets, encoded.word_ids
            for begin, end in _token_windows(words):
                yield _Window(number, offset, ids[begin:end], places[begin:end], piece)

    def _classify(self, windows: Sequence[_Window]) -> list[list[Labelled]]:
        width = max(len(one.ids) for one in windows) + 2
        ids = numpy.zeros((len(windows), width), dtype=numpy.int64)
        mask = numpy.zeros((len(windows), width), dtype=numpy.int64)
        for row, one in enumerate(windows):
            ids[row, : len(one.ids) + 2] = numpy.array([self._begin, *one.ids, self._end], dtype=numpy.int64)
            mask[row, : len(one.ids) + 2] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
        logits = numpy.asarray(self._session.run(None, {name: feed[name] for name in self._inputs})[0])
        shifted = numpy.exp(logits - logits.max(axis=-1, keepdims=True))
        chances = shifted / shifted.sum(axis=-1, keepdims=True)
        labels, scores = chances.argmax(axis=-1), chances.max(axis=-1)
        return [self._spans(one, labels[row], scores[row]) for row, one in enumerate(windows)]

    def _spans(self, window: _Window, labels: Any, scores: Any) -> list[Labelled]:
        """Word pieces of one label become one span; a `B-` begins a new one, as do letters between two pieces."""
        found: list[Labelled] = []
        is_open = False
        for at, (start, end) in enumerate(window.places, 1):
            if end <= start:
                continue
            label, score = self._labels[int(labels[at])], float(scores[at])
            if label == "O" or score < THRESHOLD:
                is_open = False
                continue
            name = label.partition("-")[2]
            last = found[-1] if found else None
            if (
                is_open and last is not None and last.label == name and not label.startswith("B-")
                and not window.piece[last.end - window.offset : start].strip()
            ):  # fmt: skip
                last.end, last.score = end + window.offset, min(last.score, score)
            else:
                found.append(Labelled(start + window.offset, end + window.offset, name, score))
            is_open = True
        return found


def load(model: Model) -> Rampart:
    """Raises: ModelAbsent, ModelDiffers."""
    root = verified(model, folder_of(model))
    return Rampart(root / Path(next(iter(model.sha256))).parent.parent)


def _starts(length: int) -> Iterator[int]:
    start = 0
    yield start
    while start + WINDOW < length:
        start += WINDOW - OVERLAP
        yield start


def _token_windows(words: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    """Where a window of characters has more tokens than the model takes, overlapping windows that begin at a word."""
    start = 0
    while start < len(words):
        end = min(start + TOKENS, len(words))
        yield start, end
        if end == len(words):
            return
        following = end - OVERLAP
        while following - 1 > start and words[following] == words[following - 1]:
            following -= 1
        start = following


def _over_windows(spans: Sequence[Labelled]) -> list[Labelled]:
    """What two windows saw of one entity, as one."""
    done: list[Labelled] = []
    last_of: dict[str, Labelled] = {}
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        last = last_of.get(span.label)
        if last is not None and span.start < last.end:
            last.end, last.score = max(last.end, span.end), max(last.score, span.score)
        else:
            copy = Labelled(span.start, span.end, span.label, span.score)
            last_of[span.label] = copy
            done.append(copy)
    return done
