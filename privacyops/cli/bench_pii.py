"""The runners of `privacyops bench pii`: what it measures is made here, for the benchmark knows no adapter."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from privacyops.bench.pii import Result, Runner, Runners
    from privacyops.domain.detection.span import Profile


def runners(cache: Path) -> "Runners":
    """Load every model once. Both sides have the same spaCy model, each a copy of its own."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core a process; read when numpy is loaded
    from privacyops.adapters.pii import names, presidio
    from privacyops.adapters.pii.models import versions
    from privacyops.bench.pii import Runners
    from privacyops.domain.catalog.models import models
    from privacyops.domain.detection.span import Profile

    model = models()["en_core_web_sm"]
    engine = presidio.plain_engine(names.load_language(model))
    return Runners(
        plain=_plain(engine), batch=_batch(engine),
        exact=_ours(presidio.PlainPipeline(names.load(model), cache, prefilter_at_once=True)),
        fast=_ours(presidio.PlainPipeline(names.load(model, is_exact=False), cache, prefilter_at_once=True)),
        patterns_plain=_plain(presidio.patterns_engine()),
        patterns=_ours(presidio.PlainPipeline(None, cache, prefilter_at_once=True)),
        redact=_profile(Profile.REDACT, cache), search=_profile(Profile.SEARCH, cache), versions=versions(),
    )  # fmt: skip


def _plain(engine: Any) -> "Runner":
    def run(texts: Sequence[str]) -> "list[list[Result]]":
        return [[_of(one) for one in engine.analyze(text, "en", score_threshold=0)] for text in texts]

    return run


def _batch(engine: Any) -> "Runner":
    from privacyops.adapters.pii.presidio import batch_engine

    batch = batch_engine(engine)

    def run(texts: Sequence[str]) -> "list[list[Result]]":
        found = batch.analyze_iterator(list(texts), "en", batch_size=128, score_threshold=0)
        return [[_of(one) for one in results] for results in found]

    return run


def _ours(pipeline: Any) -> "Runner":
    def run(texts: Sequence[str]) -> "list[list[Result]]":
        distinct = list(dict.fromkeys(texts))
        told = {
            text: [(one.start, one.end, one.type, round(one.score, 9)) for one in hits]
            for text, (hits, _) in zip(distinct, pipeline.find(distinct), strict=True)
        }
        return [told[text] for text in texts]

    return run


def _profile(profile: "Profile", cache: Path) -> "Runner":
    from privacyops.adapters.pii.detector import Options, PipelineDetector
    from privacyops.ports.pii import Text

    detector = PipelineDetector(Options(cache=cache, prefilter_at_once=True))

    def run(texts: Sequence[str]) -> "list[list[Result]]":
        answers = detector.detect((Text(text) for text in texts), profile)
        return [[(one.start, one.end, one.type, one.score) for one in found.spans] for found in answers]

    return run


def _of(one: Any) -> "Result":
    return one.start, one.end, one.entity_type, round(one.score, 9)
