"""What every lesson promises: words in both languages for all that it says, and a page that needs nothing else."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path
from string import Formatter

import pytest

from semblance.cli import main
from semblance.explain import contents, page
from semblance.explain.contents import LESSONS
from semblance.explain.lesson import Claim, Told
from semblance.explain.words import words_of_lesson, words_of_page
from semblance.seeds import Seeds

FOLDER = Path(contents.__file__).parent / "lessons"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
TOLD: dict[str, Told] = {}


def told(name: str) -> Told:
    """Each lesson runs once for all tests here, in seconds of a processor."""
    if name not in TOLD:
        start = time.process_time()
        TOLD[name] = LESSONS[name]().run(Seeds(0))
        assert time.process_time() - start < 20
    return TOLD[name]


def slots(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_lesson_is_in_the_list_under_its_own_name() -> None:
    present = {path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")}
    assert {name.replace("-", "_") for name in LESSONS} == present
    assert all(
        lesson.name == name and lesson.__module__.endswith(name.replace("-", "_")) for name, lesson in LESSONS.items()
    )


@pytest.mark.parametrize("name", [*LESSONS, ""], ids=[*LESSONS, "page"])
def test_nothing_is_left_in_english(name: str) -> None:
    english, chinese = (words_of_lesson(name, code) if name else words_of_page(code) for code in ("en", "zh"))
    assert list(english.entries) == list(chinese.entries)
    for key, text in english.entries.items():
        said = chinese.entries[key]
        assert slots(said) == slots(text), key
        assert said.strip(), key
        assert not CHINESE.search(text), key
        words = re.sub(r"\{\w+\}|`[^`]*`", "", text)
        if re.search(r"[A-Za-z]{3,}", re.sub(r"\b(?:JSD|KL|log|min|max|sign)\b|Semblance", "", words)):
            assert CHINESE.search(said), key
        assert not re.search(r"[\u4e00-\u9fff][,;:?!]", said), f"half-width punctuation: {said}"


@pytest.mark.parametrize("name", LESSONS)
def test_all_words_are_used_and_all_slots_are_filled(name: str) -> None:
    found, words = told(name), words_of_lesson(name, "en")
    for key, text in words.entries.items():
        assert slots(text) <= set(found.numbers), key
    for claim in found.claims:
        assert f"claims.{claim.name}" in words.entries
    for paragraph in found.paragraphs:
        assert f"paragraphs.{paragraph}" in words.entries


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_short(name: str) -> None:
    found, words = told(name), words_of_lesson(name, "en")
    read = ["shows", "caption", "try_it", *(f"paragraphs.{paragraph}" for paragraph in found.paragraphs)]
    assert sum(len(words.entries[key].split()) for key in read) <= 310
    assert len(words.entries["shows"].split()) <= 45
    assert len(found.claims) <= 12


@pytest.mark.parametrize("name", LESSONS)
def test_a_claim_is_sharp_enough_to_be_wrong(name: str) -> None:
    for claim in told(name).claims:
        if claim.relation == "=":
            assert claim.tolerance <= 0.15 * (abs(claim.formula) or 1), claim


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", LESSONS)
def test_the_page_stands_alone_and_comes_out_the_same_again(name: str, language: str) -> None:
    lesson, found = LESSONS[name](), told(name)
    text = page.render(lesson, found, language=language)
    assert text == page.render(lesson, found, language=language)
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}">' in text
    assert text.count("<svg") == len(lesson.draw(found, words_of_lesson(name, language)).panels) >= 1
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert "url(http" not in text
    assert "<script" not in text
    assert not re.search(r"#0[123]0[0-9a-f]{3}", text)  # every colour follows the page between light and dark
    assert len(text) < 400_000
    if language == "zh":
        seen = re.sub(r"<style>.*?</style>|<code>.*?</code>|aria-label=\"[^\"]*\"|<[^>]*>", " ", text, flags=re.DOTALL)
        assert not re.search(r"(?:[A-Za-z]{3,}[ ,]+){4,}", seen)


@pytest.mark.slow
@pytest.mark.parametrize("name", LESSONS)
def test_what_the_reader_is_told_to_try_works(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = told(name)
    codes, codes_zh = (
        re.findall(r"`([^`]+)`", words_of_lesson(name, language)("try_it", **found.numbers))
        for language in ("en", "zh")
    )
    assert codes
    assert codes == codes_zh
    for code in codes:
        words = shlex.split(code)
        assert main(words[1:] if words[0] == "semblance" else ["explain", name, *words, "--json"]) == 0


def test_a_claim_agrees_only_within_what_was_stated() -> None:
    assert Claim("x", 1.0, 1.1, 0.11, "sampling").agrees
    assert not Claim("x", 1.0, 1.1, 0.09, "sampling").agrees
    assert not Claim("x", 1.0, float("nan"), 9.0, "sampling").agrees
    assert not Claim("x", float("nan"), 1.0, 9.0, "sampling").agrees
    assert Claim("x", 1.0, 0.2, 0.0, "rounding", "<=").agrees
    assert not Claim("x", 1.0, 1.2, 0.1, "rounding", "<=").agrees
    assert Claim("x", 1.0, 1.2, 0.0, "rounding", ">=").agrees
    assert not Claim("x", 1.0, 0.8, 0.1, "rounding", ">=").agrees
