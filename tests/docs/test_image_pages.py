"""No option of an image generator without its line, with its default."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from semblance import catalog

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| .+ \|$", re.MULTILINE)


@pytest.mark.parametrize("name", ["features", "flow", "mask"])
def test_every_parameter_has_a_row_with_its_default(name: str) -> None:
    page = (DOCS / f"image-{name}.md").read_text(encoding="utf-8").split("\n## ")[0]
    told = {parameter: usual.strip("`") for parameter, usual in ROW.findall(page)}
    assert told == {field.name: str(field.default) for field in fields(catalog.IMAGE_GENERATORS[name])}
