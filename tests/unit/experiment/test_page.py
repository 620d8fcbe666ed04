"""The page of an experiment: whole, self-contained, in two languages, and it says what the record says."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from functools import cache
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jinja2 import Environment, nodes
from scipy import stats as distributions

from semblance.errors import InputError
from semblance.evidence import canonical_json
from semblance.experiment import words
from semblance.experiment.inference import Scores
from semblance.experiment.page import render, render_in
from semblance.experiment.plan import NAMED, Design, Setting
from semblance.experiment.record import build
from semblance.report.language import language
from semblance.seeds import Seeds

PACKAGE = Path(str(resources.files("semblance")))
ROOM = PACKAGE / "experiment"
VOID = {"meta", "br", "path", "use", "rect", "line"}


@cache
def recorded(synthetic: float, *, external: bool = True, generator: str = "flow", many: bool = True) -> str:
    """A record of drawn scores, as text: 1 for every arm but the synthetic ones."""
    design = Design(
        tuple(NAMED), (20, 50) if many else (20,), ratios=(0.5, 1.0) if many else (1.0,), seeds=3, replicates=60
    )
    lost = Setting(design.keeps[-1], "more-real", 1.0)
    settings = [s for s in design.settings() if s != lost]
    rng = np.random.default_rng(4)
    positive = np.arange(120) < 40
    signal = {s: synthetic if NAMED[s.arm].adds == "synthetic" else 1.0 for s in settings}

    def scores() -> Scores:
        person = rng.normal(size=120)
        chances = {
            s: distributions.norm.cdf(z * positive + person + 0.3 * rng.normal(size=(3, 120)))
            for s, z in signal.items()
        }
        return Scores(positive, np.arange(120), chances)

    parts = {"images": 120, "patients": 120, "rare_images": 40}
    head = {
        "label": "finding",
        "rare": "<b>ill",
        "cohort": dict.fromkeys(("pool", "validation", "test", *(["elsewhere"] if external else [])), parts),
        "generator": {"name": generator, **({} if generator else {"images": 300})},
        "transforms": [{"name": "rotate", "degrees": 7.0}],
        "not_tried": [{"keep": lost.keep, "arm": lost.arm, "ratio": lost.ratio}],
        "provenance": {"seed": 0, "quick": True},
    }
    rare = {s: round(s.keep * (1 + s.ratio)) if s.arm == "more-real" else s.keep for s in settings}
    sites = [scores() for _ in range(1 + external)]
    return canonical_json(build(design, sites, dict.fromkeys(settings, 99), rare, Seeds(1), head))


class Page(HTMLParser):
    """Elements and visible text; every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize(("synthetic", "said"), [(2.5, "HELPS"), (0.0, "HARMS")])
def test_the_headline_is_the_verdict_and_nothing_is_fetched(synthetic: float, said: str) -> None:
    record = json.loads(recorded(synthetic, many=said == "HELPS"))
    assert record["verdict"] == said
    text = render(record)
    assert text == render(record)
    page = Page(text)
    assert words.headline(record, language("en")) in page.text
    assert all(found["verdict"] in page.text for found in record["judgements"])
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "object", "form", "b>ill"}
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(ids)
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert "<b>ill" not in text


def test_what_could_not_be_tried_or_known_is_told() -> None:
    text = Page(render(json.loads(recorded(1.0, external=False, generator="", many=False)))).text
    for told in ("One site only.", "made elsewhere", "quick experiment", "3 seeds.", "“real + further real”"):
        assert told in text, told
    assert "the same at the other site" not in text


def test_there_is_no_other_language() -> None:
    with pytest.raises(InputError, match="no language"):
        render({}, language="xx")


@pytest.mark.parametrize(("synthetic", "whole"), [(2.5, True), (1.0, False), (0.0, False)])
def test_a_page_is_chinese_throughout(synthetic: float, whole: bool) -> None:
    say = language("zh")
    generator = "flow" if whole else ""
    page = Page(render_in(say, json.loads(recorded(synthetic, external=whole, generator=generator, many=whole))))
    assert say.missing == []
    assert ("html", {"lang": "zh-Hans"}) in page.elements


def test_all_that_is_said_has_its_chinese() -> None:
    tables = (PACKAGE / "report" / "languages" / "zh").glob("*.toml")
    known = {e for t in tables for section in tomllib.loads(t.read_text("utf-8")).values() for e in section}
    said = [*words.ARMS.values(), *words.ENDPOINTS.values(), *words._HEADLINES.values(), *words._VERDICTS.values()]
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                said += [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
    template = Environment(autoescape=True).parse((ROOM / "templates" / "experiment.html").read_text("utf-8"))
    calls = [c for c in template.find_all(nodes.Call) if isinstance(c.node, nodes.Name) and c.node.name == "say"]
    said += [c.args[0].value for c in calls if isinstance(c.args[0], nodes.Const)]
    assert len(said) > 60
    assert set(said) <= known


def test_no_words_stand_bare_in_the_template() -> None:
    source = (ROOM / "templates" / "experiment.html").read_text("utf-8")
    text = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", " ", source, flags=re.DOTALL)
    assert set(re.findall(r"[A-Za-z]{2,}", re.sub(r"<[^>]*>", " ", text))) <= {"Semblance"}


def test_the_record_holds_no_patient() -> None:
    record: dict[str, Any] = json.loads(recorded(2.5))
    for line in record["lines"]:
        assert set(line) == {"keep", "arm", "ratio", "images", "real_rare", "here", "elsewhere", "over_real", "worth"}
        for site in ("here", "elsewhere"):
            assert all(len(found["by_seed"]) == 3 for found in line[site].values())
