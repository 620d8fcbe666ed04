"""The report as a file: complete, self-contained, well-formed, readable, and the same twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from semblance.evidence import Evidence
from semblance.release.disclosure import protect
from semblance.release.gate import Policy, decide
from semblance.report.page import render

POLICY = Policy.load(Path(__file__).with_name("policy.toml"))
VOID = {"meta", "br", "img", "input", "hr", "link"}
FETCHING = {"src", "href", "srcset", "action", "data", "poster", "background", "formaction"}


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
        assert len({k for k, _ in attrs}) == len(attrs), f"an attribute of <{tag}> is there twice"
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page_of(evidence: Evidence) -> str:
    return render(evidence, decide(evidence, POLICY).to_dict())


@pytest.fixture(scope="session")
def rendered(case: tuple[str, Evidence]) -> tuple[str, Evidence, str]:
    name, evidence = case
    return name, evidence, page_of(evidence)


def test_every_kind_of_evidence_gives_a_whole_page(rendered: tuple[str, Evidence, str]) -> None:
    name, evidence, text = rendered
    page = Page(text)
    assert len(text.encode()) < 5_000_000
    assert text.startswith("<!doctype html>")
    assert ("html", {"lang": "en"}) in page.elements
    assert any(t == "meta" and a.get("name") == "viewport" for t, a in page.elements)
    for finding in evidence:
        assert finding.name in page.text, f"{name}: {finding.name} is not told"
        if finding.status != "measured":
            assert finding.why in page.text
    for rule in POLICY.rules:
        assert rule.name in page.text


def test_nothing_is_fetched_and_nothing_runs(rendered: tuple[str, Evidence, str]) -> None:
    _, _, text = rendered
    page = Page(text)
    tags = {t for t, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "image", "foreignobject", "base", "form"}
    for tag, attributes in page.elements:
        assert not any(a.startswith("on") for a in attributes), f"<{tag}> has an event handler"
        for name in FETCHING & {a.split(":")[-1] for a in attributes}:
            assert attributes.get(name, attributes.get(f"xlink:{name}", "")).startswith("#")
        assert not re.search(r"url\((?!#)", attributes.get("style", ""))
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in style


def test_pictures_are_named_and_point_only_to_themselves(rendered: tuple[str, Evidence, str]) -> None:
    _, _, text = rendered
    page = Page(text)
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(set(ids)) == len(ids)
    used = set(re.findall(r"url\(#([^)]*)\)", text)) | {a["href"][1:] for _, a in page.elements if "href" in a}
    assert used <= set(ids)
    for tag, attributes in page.elements:
        if tag == "svg":
            assert attributes["role"] == "img"
            assert len(attributes["aria-label"]) > 10
        if tag == "th":
            assert attributes.get("scope") in ("col", "row")
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
    assert "<metadata" not in text
    assert not re.search(r"#0[123]0[0-9]0[0-9]\b", text), "a colour was not exchanged for a variable"
    assert "nan" not in re.findall(r"[a-z]+", " ".join(a.get("d", "") for _, a in page.elements))


def test_the_same_evidence_gives_the_same_bytes(evidence_of: Callable[..., Evidence]) -> None:
    names = ["age", "sex", "dzgroup", "charges"]
    assert page_of(evidence_of(names=names)) == page_of(evidence_of(names=names))


def test_the_users_plotting_style_changes_nothing(evidence_of: Callable[..., Evidence]) -> None:
    import matplotlib

    evidence = evidence_of(names=["age", "sex", "charges"])
    before = page_of(evidence)
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.grid": True, "svg.fonttype": "path"}):
        assert page_of(evidence) == before


def test_rendering_leaves_matplotlib_as_it_was(evidence_of: Callable[..., Evidence]) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    page_of(evidence_of(names=["age", "sex"]))
    assert dict(matplotlib.rcParams) == before


def test_the_first_screen_of_a_release(evidence_of: Callable[..., Evidence]) -> None:
    text = Page(page_of(evidence_of())).text
    first = text[: text.index("Every rule of the policy")]
    for said in (
        "This synthetic table may be released: it met all 16 rules of the policy “default”.",
        "No formal guarantee (ε = ∞)",
        "Pairs of columns agree with those of held-out patients to 95 in 100.",
        "Fresh real patients reach 98.",
        "Two sets of real patients: 50. Guessing: 50.",
        "Learned from real patients: 0.860.",
        "A table that copies nobody: 50.",
        "It may be used for",
        "It may not be used for",
        "predicts hospdead",
    ):
        assert said in first
    assert "What stands in the way" not in text
    assert "SUPPORT investigators" in text


def test_a_refusal_says_what_failed_and_which_knob_to_try(evidence_of: Callable[..., Evidence]) -> None:
    evidence = evidence_of(off=0.6, leak=0.12)
    verdict = decide(evidence, POLICY)
    text = Page(page_of(evidence)).text
    assert "may not be released: " in text
    before_rules = text[: text.index("Every rule of the policy")]
    assert verdict.failures
    for ruling in verdict.failures:
        for said in (ruling.rule.name, ruling.why, ruling.rule.reason, ruling.rule.knob):
            assert " ".join(said.split()) in before_rules
    assert "Nothing yet" in before_rules


def test_an_unmeasured_number_is_never_shown_as_one(evidence_of: Callable[..., Evidence]) -> None:
    text = Page(page_of(evidence_of(n=84, underpowered=True))).text
    assert "too few patients to say" in text
    assert "cannot be shown" in text


def test_blanked_counts_are_drawn_as_such_and_not_as_zero(evidence_of: Callable[..., Evidence]) -> None:
    text = Page(page_of(evidence_of(n=84))).text
    assert "fewer than 11" in text


def test_many_columns_are_capped_and_counted(evidence_of: Callable[..., Evidence]) -> None:
    text = Page(page_of(evidence_of(names=[f"v{i}" for i in range(120)]))).text
    assert "The 48 that differ most of 120 columns are drawn." in text
    assert "The 40 columns that differ most of 120 are drawn." in text


def test_names_from_the_table_cannot_become_markup(evidence_of: Callable[..., Evidence]) -> None:
    names = ["<script>alert(1)</script>", "\x00", "\u202eevil", "年龄（岁）", "a" * 180]
    text = page_of(evidence_of(names=names))
    assert "<script" not in text
    assert "\x00" not in text
    assert "\u202e" not in text
    assert "年龄" in text


def test_protecting_evidence_again_changes_nothing_on_the_page(case: tuple[str, Evidence]) -> None:
    _, evidence = case
    if evidence.findings:
        assert protect(evidence) == evidence


# ── contrast, by WCAG 2.1 ────────────────────────────────────────────────────────────────────────────────────────────


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture(scope="module")
def schemes() -> dict[str, dict[str, str]]:
    text = page_of(Evidence(()))
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\n\s*\}", text, re.S)[:2]
    )
    return {"light": light, "dark": {**light, **dark}}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_lines_stand_out_in_light_and_dark(schemes: dict[str, dict[str, str]], scheme: str) -> None:
    c = schemes[scheme]
    for ink in ("ink", "muted"):
        for paper in ("page", "card", "shade-0"):
            assert contrast(c[ink], c[paper]) >= 4.5, (ink, paper)
    for word in ("good", "bad", "doubt"):
        assert contrast(c[word], c[f"{word}-soft"]) >= 4.5, word
    for line in ("real", "fake", "train", "first", "second"):
        assert contrast(c[line], c["page"]) >= 3, line
    shades = [luminance(c[f"shade-{i}"]) for i in range(8)]
    assert shades == sorted(shades, reverse=scheme == "light")
