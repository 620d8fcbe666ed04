"""Nothing of the interface is left in English on a Chinese page: neither by the letter of the code nor when it runs."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jinja2 import Environment, nodes

from semblance import catalog, pipeline
from semblance.contracts import Comparison
from semblance.errors import InputError
from semblance.evidence import Evidence, Finding
from semblance.power import self_test
from semblance.release.card import write_card
from semblance.release.gate import Override, Policy, decide
from semblance.release.policy import BUNDLED
from semblance.report.language import CODES, Language, language, slots_of
from semblance.report.page import render, render_in
from semblance.schema import Column, Schema

PACKAGE = Path(str(resources.files("semblance")))
TABLES = sorted((PACKAGE / "report" / "languages" / "zh").glob("*.toml"))
TEMPLATES = sorted((PACKAGE / "report" / "templates").glob("*.html"))
SPEAKERS = [*sorted((PACKAGE / "report").glob("*.py")), *sorted((PACKAGE / "release").glob("card*.py"))]
WORD_LISTS = {"TITLES", "FAMILIES", "ATTACKS", "STATUSES", "_REFUSED", "_NAMED", "_TECHNIQUES", "_KINDS", "_ROLES"}


def chinese() -> dict[str, str]:
    entries: dict[str, str] = {}
    for path in TABLES:
        for section in tomllib.loads(path.read_text("utf-8")).values():
            for english, said in section.items():
                assert entries.setdefault(english, said) == said, f"{path.name}: {english!r} is said in two ways"
    return entries


# ── by the letter ────────────────────────────────────────────────────────────────────────────────────────────────────


def said_in_code(path: Path) -> Iterator[str]:
    """Every literal that is handed to `say` or to the card, and every entry of a list of words that is said later."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            heads = {"say": node.args[:1], "add": node.args[:1], "heading": node.args[:1], "table": node.args}
            said = heads.get(name, []) if name == "say" or path.name.startswith("card") else []
            yield from (a.value for a in said if isinstance(a, ast.Constant) and isinstance(a.value, str) and a.value)
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(t, ast.Name) and t.id in WORD_LISTS for t in targets):
                yield from listed(node.value)


def listed(value: ast.expr | None) -> Iterator[str]:
    """The values of a dict, or the last of each row of a tuple."""
    found: list[ast.expr] = []
    if isinstance(value, ast.Dict):
        found = value.values
    elif isinstance(value, ast.Tuple):
        found = [row.elts[-1] for row in value.elts if isinstance(row, ast.Tuple)]
    yield from (v.value for v in found if isinstance(v, ast.Constant) and isinstance(v.value, str))


def said_in_template(path: Path) -> Iterator[str]:
    for call in Environment(autoescape=True).parse(path.read_text("utf-8")).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "say" and isinstance(call.args[0], nodes.Const):
            yield call.args[0].value


@pytest.mark.parametrize("path", [*SPEAKERS, *TEMPLATES], ids=lambda p: p.name)
def test_all_that_is_said_has_its_chinese_with_the_same_slots(path: Path) -> None:
    known = chinese()
    for text in said_in_template(path) if path.suffix == ".html" else said_in_code(path):
        assert text in known, f"{path.name} says {text!r}"


def test_the_search_for_what_is_said_finds_it() -> None:
    found = {text for path in SPEAKERS for text in said_in_code(path)} | {
        text for path in TEMPLATES for text in said_in_template(path)
    }
    assert len(found) > 300
    for text in ("met", "Guessing {name}", "Five numbers", "known to others", "found", "Data card".join(("# ", ""))):
        assert text in found


@pytest.mark.parametrize("path", TABLES, ids=lambda p: p.name)
def test_both_sides_have_the_same_slots_and_the_chinese_is_chinese(path: Path) -> None:
    for section in tomllib.loads(path.read_text("utf-8")).values():
        for english, said in section.items():
            assert slots_of(english) == slots_of(said), english
            assert said.strip()
            words = re.sub(r"\{\w+\}", "", english)
            if len(re.findall(r"[A-Za-z]{2,}", words)) >= 3:
                assert re.search(r"[\u4e00-\u9fff]", said), english
                assert not re.search(r"[\u4e00-\u9fff][,;:?!]", said), f"half-width punctuation: {said}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_no_words_stand_bare_in_a_template(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", " ", path.read_text("utf-8"), flags=re.DOTALL)
    bare = re.findall(r"[A-Za-z]{2,}", re.sub(r"<[^>]*>", " ", text))
    assert set(bare) <= {"Semblance"}, bare


@pytest.mark.parametrize("name", BUNDLED)
def test_every_text_of_the_policies_has_its_chinese(name: str) -> None:
    policy, known = Policy.load(name), chinese()
    for rule in policy.rules:
        for text in (rule.name, rule.reason, rule.source, rule.knob):
            assert text in known, text
    assert policy.about in known


# ── what findings say, branches that no run here takes included ──────────────────────────────────────────────────────

FINDERS = [
    *sorted((PACKAGE / "audits").rglob("*.py")),
    *sorted((PACKAGE / "attacks").glob("*.py")),
    PACKAGE / "power.py",
    PACKAGE / "protocol.py",
]
# Pieces that stand inside a longer sentence, which is tested when it runs, and words for a schema or a chart's detail.
PIECES = {
    " in three rotating parts",
    " among isolated patients",
    " that are told what the judged model had searched for",
    "one false alarm in ten",
    "one false alarm in a hundred",
    "one false alarm in a thousand",
    "by comparing how thick synthetic and real patients lie around them",
    "by looking for the synthetic row nearest to them",
    "by training shadow models, which show what learning from a patient does to the synthetic table",
    "Can an attacker tell who was in the training data 7?",
    "a value that one synthetic patient alone holds",
    "a combination of values that one synthetic patient alone holds",
    "a combination of values of an unusual synthetic patient",
    "Does 7 fit exactly one training patient more often than chance?",
    "7 predicates, each 7",
    "share of patients alone in the table and expected to be alone in the population",
    "expected 1 / people of the class in the population, for the patient most at risk",
    "expected 1 / people of the class in the population, on average over patients",
    "number of synthetic rows whose nearest real patient is of train",
    "the same number among the 1 % of synthetic rows closest relative to the next patient",
    "a guess is right when 7, or missing where it is missing",
    "7 halves, k = 7",
    "its role is sensitive",
    "it is hard to guess",
    "not of its type",
    "missing, though never missing in the source",
    "not an allowed category",
    "not a whole number",
    "7 0.5 is a coin toss.",
    "7 Patients unlike all others; 0.5 is a coin toss.",
    "7 The group that is told best; 0.5 is a coin toss.",
    "7 Share found at 7.",
    "7, against 7 relabellings of patients",
    "at most 7 off",
    "it is the target",
    "7; 7 members, 7 non-members7; DeLong interval",
    "shadow models of the same recipe7, each learned from",
    "7, by the model of Pitman (1995) fitted to the sizes of classes; 7; 7",
}


def told(path: Path) -> Iterator[str]:
    """Sentences a finding may carry, each number and name in them put as 7: all texts but docstrings and errors."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(v) for v in node.values}
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id in ("asks", "about")
        ):
            skipped.add(id(node.value))
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and "seeds" in ast.unparse(node.func)):
            skipped |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in node.values)


@pytest.mark.parametrize("path", FINDERS, ids=lambda p: "/".join(p.parts[-2:]))
def test_every_sentence_of_a_finding_has_its_chinese(path: Path) -> None:
    for text in told(path):
        if len(text.split()) < 4 or any(piece in text for piece in PIECES):
            continue
        say = language("zh")
        say(text)
        assert say.missing == [], text


# ── when it runs ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Visible(HTMLParser):
    """Text that a reader sees or hears, but for code and what comes from the table or its origin."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.said += [v or "" for k, v in attrs if k in ("aria-label", "data-label", "title", "alt")]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not {"style", "code", "dd"} & set(self.open):
            self.said.append(data)


# Names that stay as they are. Each is one to three words, so none can hide a sentence.
KEPT = (
    "Benjamini–Hochberg",
    "van Breugel",
    "van der Schaar",
    "semblance verify",
    "semblance share",
    "Stadler and others",
    "Carlini and others",
    "Yao and others",
)


def sentences_left(text: str) -> list[str]:
    """Runs of at least four English words, where a citation (names and years) is none."""
    for name in KEPT:
        assert len(name.split()) <= 3
        text = text.replace(name, "·")
    runs = re.findall(r"[A-Za-z][a-z'’]+(?:[ ,]+[A-Za-z][a-z'’]+){3,}", text)
    return [run for run in runs if sum(word[0].islower() for word in re.split(r"[ ,]+", run) if word != "and") >= 2]


def test_a_sentence_is_found_and_a_citation_is_not() -> None:
    assert sentences_left("已知。the table was made elsewhere，未知")
    assert sentences_left("Patients have Several rows each")
    assert not sentences_left("Esteban, Hyland and Rätsch, 2017；Platzer and Reutterer, 2021")
    assert not sentences_left("Raab, Nowok and Dibben（2024）")
    assert not sentences_left("van Breugel and van der Schaar, 2023")


def patients(n: int, *, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.normal(60, 12, n).round()
    return pd.DataFrame(
        {
            "age": age,
            "sex": rng.choice(["F", "M"], n),
            "race": rng.choice(list("abc"), n),
            "lab": np.where(rng.random(n) < 0.1, np.nan, (age / 10 + rng.normal(size=n)).round(2)),
            "outcome": (rng.random(n) < 1 / (1 + np.exp(-(age - 60) / 8))).astype(int),
        }
    )


def judged(n: int, *, target: str | None = "outcome", elsewhere: bool = False, power: bool = False) -> Evidence:
    """Real findings on `n` made-up patients, asked quickly."""
    steps = pipeline.begin(seed=0, quick=True)
    data = pipeline.read(frame := patients(n), pipeline.describe(frame, target=target))
    vault = pipeline.split(data, steps)
    made = pipeline.recipe("independent")
    model = pipeline.fit(vault.train, steps, generator=made)
    fake = pipeline.sample(model, steps, n=vault.train.n_rows)
    whole = Comparison(vault.train, vault.open_holdout(), fake, model, made, pipeline.forge_of(made, model))
    seen = Comparison(whole.train, whole.held, fake) if elsewhere else whole
    facts: dict[str, Any] = {
        "generator": {"name": "independent"},
        "split": vault.describe(),
        "synthetic_rows": fake.n_rows,
        "notes": ["Columns a, b: left empty and never learned."],
        "terms": {"contact": "A. Board", "expires": "2027-06-30", "dated": "2026-06-30"},
        "holdout": {"uses": 2},
        "recipe": None if elsewhere else "independent",
        "target": target,
        "quick": True,
    }
    found = [f for audit in catalog.AUDITS.values() for f in audit().judge(seen, steps)]
    more = self_test(seen, steps) if power else ()
    return Evidence((*found, *more), steps.ledger.to_dict(), facts)


def assert_chinese(evidence: Evidence, *, tier: str = "board", overrides: tuple[Override, ...] = ()) -> None:
    for name in BUNDLED:
        verdict = decide(evidence, Policy.load(name), overrides=overrides).to_dict()
        say = language("zh")
        page = render_in(say, evidence, verdict, tier=tier)
        assert say.missing == []
        seen = " ¦ ".join(Visible(page).said)
        assert sentences_left(seen.replace("A. Board", "")) == []
    assert '<html lang="zh-Hans">' in page


@pytest.mark.parametrize(
    "asked",
    [{"n": 400}, {"n": 400, "target": None, "elsewhere": True}, {"n": 60}, {"n": 40, "elsewhere": True}],
    ids=["measured", "elsewhere", "underpowered", "tiny"],
)
def test_a_page_of_real_findings_is_chinese_throughout(asked: dict[str, Any]) -> None:
    override = Override("Every row is valid", "王敏", "仅供教学")
    assert_chinese(judged(**asked), overrides=(override,))


@pytest.mark.slow
def test_a_page_with_its_own_test_of_power_is_chinese_throughout() -> None:
    assert_chinese(judged(400, power=True))


@pytest.mark.parametrize("tier", ["board", "recipient", "public"])
def test_each_tier_says_in_chinese_for_whom_it_is(tier: str, evidence_of: Callable[..., Evidence]) -> None:
    plain = Evidence(tuple(f for f in evidence_of(details=False) if not f.question.startswith("What does")))
    assert_chinese(plain, tier=tier)


def test_a_card_is_chinese_throughout() -> None:
    evidence = judged(60)
    columns = (Column("age", "number"), Column("sex", "category", categories=("F", "M")))
    for name in BUNDLED:
        verdict = decide(evidence, Policy.load(name)).to_dict()
        card = write_card(evidence, verdict, schema=Schema(columns), synthetic=None, language="zh")
        assert sentences_left(card.replace("A. Board", "")) == []


# ── the language itself ──────────────────────────────────────────────────────────────────────────────────────────────


def test_english_is_its_own_key() -> None:
    say = language("en")
    assert say("{n} synthetic rows", n=5) == "5 synthetic rows"
    assert say("a {text} that arrives finished") == "a {text} that arrives finished"
    assert say.missing == []


def test_a_finished_text_is_found_by_its_pattern_and_its_slots_are_said_too() -> None:
    say = language("zh")
    assert say("Its interval reaches 0.31; at most 0.2 is allowed.") == "其区间上限为 0.31；最多允许 0.2。"
    assert "按距离的成员推断" in say("How large a leak of real rows would membership by distance have seen?")
    assert say("Columns a, b: left empty and never learned.") == "列 a, b：留空，从不学习。"
    assert say.missing == []


def test_a_chain_of_clauses_is_said_clause_by_clause_or_not_at_all() -> None:
    say = language("zh")
    assert say("DeLong interval; 12 rows a side") == "DeLong 区间；每侧 12 行"
    assert say("DeLong interval; by something nobody translated") == "DeLong interval; by something nobody translated"
    assert say.missing == ["DeLong interval; by something nobody translated"]


def test_a_pattern_that_is_mostly_names_does_not_swallow_sentences() -> None:
    say = language("zh")
    text = "This was broken and nobody knows why"
    assert say(text) == text
    assert say.missing == [text]
    assert say("{name} and {name_2}", name="age", name_2="sex") == "age 与 sex"


def test_what_is_said_already_is_not_missing() -> None:
    say = language("zh")
    assert say(say("Five numbers")) == "五个数字"
    assert say.missing == []


def test_braces_in_a_name_are_only_braces() -> None:
    say = language("zh")
    assert say("Column {x}: left out and never learned.") == "列 {x}：删去，从不学习。"


def test_numbers_follow_the_language() -> None:
    english, chinese_ = Language("en"), Language("zh")
    assert (english.thousands(6374), chinese_.thousands(6374)) == ("6\u202f374", "6,374")
    assert (english.percent(0.0573), chinese_.percent(0.0573)) == ("5.7 %", "5.7%")
    assert (english.interval(0.1, 0.2), chinese_.interval(0.1, 0.2)) == ("0.100 to 0.200", "0.100 至 0.200")
    assert english.interval(None, 0.2) == ""


@pytest.mark.parametrize("code", ["de", "", "ZH"])
def test_a_language_that_is_not_there_is_refused(code: str) -> None:
    with pytest.raises(InputError, match="choose one of en, zh"):
        language(code)
    assert set(CODES) == {"en", "zh"}


def test_a_tier_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="choose one of board, recipient, public"):
        render(Evidence((Finding("a.b", "?", 0.5),)), {}, tier="everybody")
