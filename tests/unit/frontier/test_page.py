"""The page of a frontier: whole, self-contained, the same twice, in two languages, and true to its record."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, nodes

from semblance.errors import InputError
from semblance.frontier.page import render, render_in
from semblance.frontier.points import Point
from semblance.frontier.words import confirmation
from semblance.report.language import language

PACKAGE = Path(str(resources.files("semblance")))
ROOM = PACKAGE / "frontier"
VOID = {"meta", "br"}
Planted = Callable[..., dict[str, Any]]


class Page(HTMLParser):
    """Checks on the way that every element is closed in order; keeps elements and visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
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
        if not {"style", "code"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def usual(planted: Planted) -> tuple[dict[str, Any], str]:
    """The planted record, and its page."""
    record = planted()
    return record, render(record)


Usual = tuple[dict[str, Any], str]


def test_nothing_is_fetched_and_nothing_runs(usual: Usual) -> None:
    text = usual[1]
    page = Page(text)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "image", "foreignobject", "base", "form"}
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes), tag
        assert all(attributes.get(name, "#").startswith("#") for name in ("href", "src", "xlink:href"))
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert "@import" not in text
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(ids)
    assert len(text.encode()) < 1_000_000


def test_the_same_record_gives_the_same_bytes(planted: Planted, usual: Usual) -> None:
    assert render(planted()) == usual[1]


def test_it_says_what_was_chosen_and_how_to_confirm_it(planted: Planted, usual: Usual) -> None:
    record, text = usual
    chosen = record["choice"]["chosen"]
    assert chosen is not None
    page = Page(text)
    assert f"would choose {chosen:g}." in page.text
    assert "not confirmed yet" in page.text
    command = confirmation(record)
    assert command in text
    assert f"--set epochs=100 --set beta={chosen}" in command
    assert "--seed 3" in command
    assert "--target died" in command
    assert "--schema SCHEMA" not in command
    assert "--schema SCHEMA" in confirmation(planted(edited=True))
    assert "--subject 'the id'" in confirmation(planted(subject="the id"))
    assert "--policy open-release" in command
    record = planted()
    record["choice"]["policy"]["name"] = "of our board"
    assert "--policy POLICY" in confirmation(record)


def test_rows_are_confirmed_by_rows(planted: Planted) -> None:
    record = planted(values=(100, 1000), knob="rows")
    record["choice"]["chosen"] = 1000
    assert "--rows 1000" in confirmation(record)
    assert "rows=" not in confirmation(record)


def test_none_is_an_answer(planted: Planted) -> None:
    record = planted(shift=0.2)
    assert record["choice"]["chosen"] is None
    text = render(record)
    page = Page(text)
    assert "At none of these values" in page.text
    assert "Nothing was chosen" in page.text
    assert "semblance run" not in text
    assert "Membership cannot be guessed by density" in page.text


def test_the_rate_is_told_with_what_it_is_not(planted: Planted, usual: Usual) -> None:
    page = Page(usual[1])
    assert "KL(q(z|x)‖p(z))" in page.text
    assert "The rate is an average over patients and not a guarantee for any one of them." in page.text
    assert "KL(" not in Page(render({**planted(), "facts": {}})).text


def test_orders_are_told(usual: Usual) -> None:
    record = usual[0]
    assert record["curves"]["utility.tstr.auc"]["order"]["verdict"] == "falls"
    assert record["curves"]["membership.strongest.auc"]["order"]["verdict"] == "falls"
    assert record["curves"]["copies.nearest.share"]["order"]["verdict"] == "flat"
    assert record["facts"]["rate_nats"]["order"]["verdict"] == "falls"
    assert record["facts"]["distortion_nats"]["order"]["verdict"] == "rises"
    assert record["curves"]["copies.nearest.share"]["order_among_these"]["verdict"] == "falls"  # a step beyond luck
    text = Page(usual[1]).text
    assert "Only falls with “beta”, within error" in text  # of the rate, which nobody examined
    assert "Among these patients it only falls with “beta” (p = 1.00)" in text
    assert "For others like them the same can be said." in text
    assert "For others like them the intervals are too wide to tell." in text


def test_every_pareto_line_runs_from_the_safest_to_the_most_useful(usual: Usual) -> None:
    record = usual[0]
    assert [(p["utility"], p["privacy"]) for p in record["pareto"]] == [
        ("utility.tstr.auc", "membership.strongest.auc"),
        ("utility.tstr.auc", "inference.worst.advantage"),
        ("fidelity.c2st.auc", "membership.strongest.auc"),
        ("fidelity.c2st.auc", "inference.worst.advantage"),
    ]
    assert all(pair["line"] == [10.0, 3.0, 1.0, 0.3, 0.1] for pair in record["pareto"])


def test_a_fit_that_failed_is_told_and_its_value_is_not_chosen(planted: Planted, usual: Usual) -> None:
    chosen = usual[0]["choice"]["chosen"]
    record = planted(more=[Point(chosen, 2, failed="training diverged at step 7.")])
    assert record["failed"] == [chosen]
    assert record["choice"]["chosen"] != chosen
    assert "training diverged at step 7." in Page(render(record)).text


def test_what_models_say_of_themselves_is_told_once(planted: Planted) -> None:
    record = planted(values=(1.0, 3.0))
    for point in record["points"]:
        point["notes"] = ["Stopped by the time limit after 7 training steps; the same seed may give another result."]
    text = Page(render(record)).text
    assert text.count("after 7 training steps") == 1
    assert "beta = 1, 3 Stopped" in text
    assert text.count("Columns that are looked up") == 1  # in the table; a picture would show a flat line


def test_a_page_holds_no_guarantee_and_says_so_of_private_values_too(planted: Planted) -> None:
    record = planted()
    assert "nothing here was made with differential privacy" in Page(render(record)).text
    private = Page(render({**record, "allowance": {"epsilon": 1.0, "delta": 1e-6, "cap": 1}})).text
    assert "nothing here was made with" not in private
    assert "holds no formal guarantee (ε = ∞) and stays inside" in private


def test_one_fit_and_a_quick_sweep_say_so(planted: Planted) -> None:
    text = render(planted(fits=1, provenance={"seed": 0, "quick": True}, knob="<b>&{x}", target="<i>"))
    assert "The luck of a fit is not in the intervals" in Page(text).text
    assert "Its error is not known, so no order is claimed." in Page(text).text  # of rate and distortion
    assert "This was a quick sweep." in text
    assert "<b>&" not in text  # names are only text
    assert "&lt;b&gt;" in text


# ── Chinese ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def chinese() -> set[str]:
    tables = (PACKAGE / "report" / "languages" / "zh").glob("*.toml")
    return {english for t in tables for section in tomllib.loads(t.read_text("utf-8")).values() for english in section}


def said_in_code(path: Path) -> list[str]:
    """Every literal handed to `say`, and the titles."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            found += [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
        if isinstance(node, ast.Assign):
            names = [t.id for t in node.targets if isinstance(t, ast.Name)]
            values = node.value.values if names == ["TITLES"] and isinstance(node.value, ast.Dict) else [node.value]
            told = [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
            found += told if names in (["TITLES"], ["said"]) else []
    return found


def test_all_that_is_said_has_its_chinese() -> None:
    said = [text for path in ROOM.glob("*.py") for text in said_in_code(path)]
    template = Environment(autoescape=True).parse((ROOM / "templates" / "frontier.html").read_text("utf-8"))
    calls = [c for c in template.find_all(nodes.Call) if isinstance(c.node, nodes.Name) and c.node.name == "say"]
    said += [c.args[0].value for c in calls if isinstance(c.args[0], nodes.Const)]
    assert len(said) > 60
    assert set(said) <= chinese()


@pytest.mark.parametrize("shift", [0.0, 0.2])
def test_a_page_is_chinese_throughout(shift: float, planted: Planted) -> None:
    say = language("zh")
    record = planted(shift=shift, fits=1, provenance={"seed": 0, "quick": True})
    page = Page(render_in(say, record))
    assert say.missing == []
    assert ("html", {"lang": "zh-Hans"}) in page.elements
    seen = " ".join([page.text, *(a.get("aria-label", "") for _, a in page.elements)])
    seen = seen.replace("Robertson, Wright and Dykstra", "").replace("Breiman and others", "")
    assert not re.findall(r"[A-Za-z][a-z'’]+(?:[ ,]+[A-Za-z][a-z'’]+){3,}", seen)


def test_a_language_that_is_not_there_is_refused(planted: Planted) -> None:
    with pytest.raises(InputError, match="choose one of en, zh"):
        render(planted(), language="de")
