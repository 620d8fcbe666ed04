"""An image schema as text: what a person may write, and what is said when it is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance import image_schema_toml
from semblance.errors import SchemaError
from semblance.image_schema import MIRRORS, PLANES, ImageSchema

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
labels = st.lists(words, max_size=4, unique=True).map(tuple)
numbers = st.floats(-1e6, 1e6)


@st.composite
def schemas(draw: st.DrawFn) -> ImageSchema:
    low = draw(numbers)
    classes = draw(labels)
    return ImageSchema(
        draw(st.integers(8, 4096)),
        draw(st.integers(8, 4096)),
        draw(st.sampled_from((1, 3))),
        modality=draw(st.sampled_from(("CT", "MR", "OT"))),
        bits=draw(st.sampled_from((8, 12, 16, 32))),
        step=draw(st.floats(0, 10)),
        low=low,
        high=low + draw(st.floats(0.5, 1e6)),
        bounds=draw(st.sampled_from(("declared", "inferred"))),
        unit=draw(st.sampled_from(("", "HU"))),
        spacing_mm=draw(st.none() | st.tuples(st.floats(1e-3, 100), st.floats(1e-3, 100))),
        plane=draw(st.sampled_from(PLANES)),
        label="a finding" if classes else "",
        classes=classes,
        attributes=draw(st.dictionaries(words, labels, max_size=3)),
        patient=draw(st.booleans()),
        structures=draw(labels),
        mirror=draw(st.sampled_from(MIRRORS)),
    )


@settings(max_examples=40)
@given(schemas())
def test_every_schema_comes_back(schema: ImageSchema) -> None:
    assert image_schema_toml.loads(image_schema_toml.dumps(schema), where="s") == schema


def test_every_field_has_a_remark_above_it() -> None:
    text = image_schema_toml.dumps(ImageSchema(28, 28, spacing_mm=(1.0, 1.0)))
    lines = text.splitlines()
    for name, remark in image_schema_toml.REMARKS.items():
        at = next(i for i, line in enumerate(lines) if line.startswith((f"{name} =", f"[{name}]")))
        assert f"# {remark}" in lines[at - 2 : at]


def test_what_a_person_leaves_out_has_its_usual_value() -> None:
    assert image_schema_toml.loads("height = 28\nwidth = 30\n", where="s") == ImageSchema(28, 30)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("height = 28\nwidth = ", "not valid TOML at line 2"),
        ("height = 28\n", "`width` is missing"),
        ("height = 28\nwidth = 28\ncolour = 1\n", "'colour' is not known"),
        ("height = '28'\nwidth = 28\n", "`height` must be a whole number"),
        ("height = true\nwidth = 28\n", "`height` must be a whole number"),
        ("height = 28\nwidth = 4\n", "`width` must lie between 8"),
        ("height = 28\nwidth = 28\nlow = 'dark'\n", "`low` must be a number"),
        ("height = 28\nwidth = 28\nlow = 300\n", "low < high"),
        ("height = 28\nwidth = 28\nmirror = 'both'\n", "`mirror` cannot be 'both'; use one of none, left-right, any"),
        ("height = 28\nwidth = 28\nplane = 'oblique'\n", "use one of empty, axial, coronal, sagittal"),
        ("height = 28\nwidth = 28\nspacing_mm = 0.5\n", "two distances above 0"),
        ("height = 28\nwidth = 28\nspacing_mm = [0.5, -1]\n", "two distances above 0"),
        ("height = 28\nwidth = 28\nclasses = [1, 2]\n", "a list of texts in quotes"),
        ("height = 28\nwidth = 28\nclasses = ['a', 'a']\n", "must differ"),
        ("height = 28\nwidth = 28\npatient = 'yes'\n", "true or false"),
        ("height = 28\nwidth = 28\n[attributes]\nsite = 'A'\n", "list labels by name"),
    ],
)
def test_says_what_is_wrong_and_where(text: str, said: str) -> None:
    with pytest.raises(SchemaError) as caught:
        image_schema_toml.loads(text, where="images.toml")
    assert str(caught.value).startswith("images.toml")
    assert said in str(caught.value)
