from __future__ import annotations

import re

import numpy as np
import pytest

from semblance.evidence import Finding
from semblance.report.draw import SHADES, canvas, house_style, mosaic, number, plain, to_svg, total_of
from semblance.report.maps import draw_dependence, draw_map
from semblance.report.marginals import draw_marginals


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("age", "age"),
        ("", "(blank)"),
        (" \n", "(blank)"),
        ("a\tb", "a�b"),
        ("x" * 40, "x" * 14 + "…" + "x" * 7),
        (None, "None"),
    ],
)
def test_a_label_is_printable_and_short(text: object, shown: str) -> None:
    assert plain(text) == shown


def test_wide_characters_count_twice() -> None:
    assert plain("年" * 11) == "年" * 11
    assert len(plain("年" * 12)) < 12


def test_numbers_are_short() -> None:
    assert [number(x) for x in (0, 0.0123, 185, 5520, 181_000, 2_500_000, -3.5)] == [
        "0",
        "0.0123",
        "185",
        "5520",
        "181\u202f000",
        "2.5e+06",
        "-3.5",
    ]


def test_text_stays_text_and_colours_become_variables() -> None:
    with house_style():
        axes = canvas(200, 100)
        axes.set_xlabel("years $x^2 <b>")
        svg = to_svg(axes, key="k", label='a "label" & more')
    assert "years $x^2 &lt;b&gt;" in svg
    assert 'aria-label="a &#34;label&#34; &amp; more"' in svg
    assert set(re.findall(r"#[0-9a-f]{6}", svg)) == set()
    assert "var(--muted)" in svg
    assert "DejaVu" not in svg


def test_a_mosaic_has_one_path_per_colour_however_many_cells() -> None:
    with house_style():
        axes = canvas(200, 200)
        mosaic(axes, np.arange(1600).reshape(40, 40) % len(SHADES), SHADES)
        assert len(axes.patches) == len(SHADES)


def test_blanked_cells_are_taken_as_five() -> None:
    assert total_of(np.array([15.0, np.nan, np.nan, 0.0])) == 25.0
    assert total_of(np.array([])) == 1.0


def finding(**detail: object) -> Finding:
    return Finding("a.b", "?", 0.5, detail=detail)


def test_marginals_come_worst_first() -> None:
    columns = [
        {"name": n, "labels": ["0", "1"], "holdout_counts": [50, 50], "synthetic_counts": [60, 40], "distance": d}
        for n, d in (("a", 0.1), ("b", 0.3), ("c", None))
    ]
    panels, n = draw_marginals(finding(columns=columns))
    assert ([p.name for p in panels], n) == (["b", "a", "c"], 3)


@pytest.mark.parametrize(
    "column",
    [
        {"name": "x"},
        {"name": "x", "edges": [], "holdout_counts": [], "synthetic_counts": []},
        {"name": "x", "edges": [1], "holdout_counts": [None, None], "synthetic_counts": [None, None]},
        {"name": "x", "edges": [1.0, 2.0], "holdout_counts": [20, 30, 50], "synthetic_counts": [20, 30, 50]},
        {"name": "x", "edges": [1.0], "holdout_counts": [20, 30, 50], "synthetic_counts": [20, 30, None]},
        {"name": "x", "edges": ["2010-01-01"], "holdout_counts": [20, 30], "synthetic_counts": [20, 30]},
        {"name": "x", "labels": ["(missing)"], "holdout_counts": [20], "synthetic_counts": [0]},
        {
            "name": "x",
            "labels": [str(i) for i in range(40)],
            "holdout_counts": [20] * 40,
            "synthetic_counts": [20] * 40,
        },
        {
            "name": "x",
            "kind": "ordinal",
            "labels": ["lo", "hi", "(missing)"],
            "holdout_counts": [0] * 3,
            "synthetic_counts": [0] * 3,
        },
    ],
)
def test_every_shape_of_column_can_be_drawn(column: dict[str, object]) -> None:
    panels, n = draw_marginals(finding(columns=[column]))
    assert len(panels) == n == (1 if column.get("holdout_counts") else 0)
    assert all("nan" not in p.svg for p in panels)


def test_an_ordinal_keeps_its_order_and_a_category_is_sorted() -> None:
    for kind, order in (("ordinal", ["low", "mid", "high"]), ("category", ["mid", "high", "low"])):
        column = {
            "name": "x",
            "kind": kind,
            "labels": ["low", "mid", "high"],
            "holdout_counts": [20, 60, 40],
            "synthetic_counts": [20] * 3,
        }
        panels, _ = draw_marginals(finding(columns=[column]))
        written = [w for w in re.findall(r">(\w+)</text>", panels[0].svg) if w in order]
        assert written == order


def test_the_pairs_that_differ_most_are_named() -> None:
    real, fake = np.eye(4), np.eye(4)
    fake[0, 2] = fake[2, 0] = 0.4
    drawn = draw_dependence(finding(names=list("abcd"), holdout=real.tolist(), synthetic=fake.tolist()))
    assert drawn is not None
    assert drawn.worst == (("a", "c", 0.0, 0.4),)


@pytest.mark.parametrize(
    "detail",
    [
        {},
        {"names": ["a"], "holdout": [[1]], "synthetic": [[1]]},
        {"names": ["a", "b"], "holdout": [[1, 0], [0]], "synthetic": []},
    ],
)
def test_what_cannot_be_drawn_is_left_out(detail: dict[str, object]) -> None:
    assert draw_dependence(finding(**detail)) is None
    assert draw_dependence(None) is None
    assert draw_map(finding(**detail)) is None
    assert draw_map(None) is None


def test_tables_of_unequal_size_give_maps_that_compare() -> None:
    # the same cloud, once with few and once with many patients: what the small one hides, the large one does not show
    few = [[None, 40], [25, None]]
    many = [[30, 800], [500, 40]]
    drawn = draw_map(finding(holdout_counts=few, synthetic_counts=many, axes=["a", "b"]))
    assert drawn is not None

    def dots(svg: str) -> int:
        return len(re.findall(r"<use ", svg))

    assert dots(drawn.real) == dots(drawn.fake) == 2
