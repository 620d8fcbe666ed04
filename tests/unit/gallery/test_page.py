"""The page of a gallery: whole, self-contained, in two languages, and silent about real images it was not given."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from semblance.errors import InputError
from semblance.gallery.exhibit import Exhibit, Measured
from semblance.gallery.page import NOT_PROVEN, render, render_in
from semblance.image_schema import ImageSchema
from semblance.report.language import language

SCHEMA = ImageSchema(12, 16, label="finding", classes=("<b>normal", "ill"))
FACTS = {
    "generator": "flow",
    "parameters": {"kimg": 3},
    "seed": 0,
    "learned_from": 2500,
    "drawn": 1000,
    "asked_of": 624,
    "notes": ["Stopped by the time limit after 7 training steps; the same seed may give another result."],
    "semblance": "0.1.0",
}


class Page(HTMLParser):
    """Elements and visible text; every element is closed in order."""

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
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "code"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def pictures(self) -> list[Image.Image]:
        found = [a["src"].removeprefix("data:image/png;base64,") for tag, a in self.elements if tag == "img"]
        return [Image.open(io.BytesIO(base64.b64decode(text))) for text in found]


@pytest.fixture(scope="module")
def exhibit() -> Exhibit:
    def tiles(n: int, grey: float) -> np.ndarray:
        return np.full((n, 1, 12, 16), grey, dtype=np.float32)

    png = io.BytesIO()
    Image.new("L", (4, 4)).save(png, format="PNG")
    numbers = [(0.934, 0.912, 0.958), (0.5, None, None), (0.7, None, None), (0.8, None, None), (0.01, None, None)]
    questions = ("learns", "precision", "recall", "coverage", "copies")
    return Exhibit(
        SCHEMA,
        {name: tiles(12, -1) for name in SCHEMA.classes},
        FACTS,
        real={name: tiles(12, 1) for name in SCHEMA.classes},
        pairs=(tiles(12, -1), tiles(12, 1)),
        steps=[(40, png.getvalue()), (1200, png.getvalue())],
        curves=png.getvalue(),
        measured=[Measured(q, n, n) for q, n in zip(questions, numbers, strict=True)],
        attribution="Kermany et al. (2018)",
    )


def test_everything_is_inside_and_nothing_runs(exhibit: Exhibit) -> None:
    text = render(exhibit)
    page = Page(text)
    assert not {t for t, _ in page.elements} & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for _, attributes in page.elements:
        for name, value in attributes.items():
            assert name not in ("src", "href") or value.startswith("data:image/png;base64,")
            assert not name.startswith("on")
    assert "://" not in re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]*", "", text)
    assert all(attributes.get("alt") for tag, attributes in page.elements if tag == "img")
    assert text == render(exhibit), "the same twice"
    assert "<b>normal" not in text
    assert "&lt;b&gt;normal" in text


def test_says_what_is_not_known(exhibit: Exhibit) -> None:
    said = Page(render(exhibit)).text
    for words in (
        "No formal guarantee (ε = ∞)",
        "Not judged.",
        "For research only.",
        "1 000 synthetic images",
        "0.934",
        "0.912 to 0.958",
        "624 real patients",
        "Kermany",
        "Stopped by the time limit after 7 training steps",
        "after 1 200 steps",
        *NOT_PROVEN,
    ):
        assert words in said, words


def test_the_pictures_are_the_tiles(exhibit: Exhibit) -> None:
    """Real ones bright, synthetic ones dark: each where its caption says; pairs above each other."""
    first, second, *_ = Page(render(exhibit)).pictures()
    assert first.getpixel((20, 20)) == (255, 255, 255)
    assert second.getpixel((20, 20)) == (0, 0, 0)
    pair = Page(render(exhibit)).pictures()[4]
    assert pair.getpixel((20, 20)) == (0, 0, 0)
    assert pair.getpixel((20, pair.height - 20)) == (255, 255, 255)


def test_shows_no_real_image_that_it_was_not_given(exhibit: Exhibit) -> None:
    page = Page(render(replace(exhibit, real={}, pairs=None)))
    assert "closest to a real image" not in page.text
    assert "public" not in page.text
    assert len(page.pictures()) == 2 + 3
    assert page.pictures()[0].getpixel((20, 20)) == (0, 0, 0)
    assert repr(exhibit) == "Exhibit(1000 synthetic images)"


def test_is_chinese_throughout(exhibit: Exhibit) -> None:
    say = language("zh")
    page = Page(render_in(say, exhibit))
    assert say.missing == []
    assert ("html", {"lang": "zh-Hans"}) in page.elements
    seen = " ".join([page.text, *(a.get("alt", "") for _, a in page.elements)])
    assert not re.findall(r"[A-Za-z][a-z'’]+(?:[ ,]+[A-Za-z][a-z'’]+){3,}", seen)
    with pytest.raises(InputError):
        render(exhibit, language="de")
