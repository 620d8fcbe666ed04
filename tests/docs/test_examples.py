"""Every example in the README, the docs and the docstrings runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import semblance
from semblance import schema_toml
from semblance.cli import main
from semblance.data import demo
from semblance.errors import SchemaError
from semblance.formats.csv import Csv
from semblance.source import read_source

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAY_REFUSE = {"run", "demo", "share"}  # 20 is an honest answer where the examples use few patients
SHORTER = {("images", "fit"): ("--max-minutes", "0.05"), ("images", "sample"): ("--images", "8")}
"""Nobody learns images in the time of a test: the words of the page are tried, and these after them."""
COLLAPSED = 14  # an honest answer of a generator against a critic after three seconds


def blocks(page: Path, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(page.read_text(encoding="utf-8")) if kind == language]


@pytest.fixture
def folder_with_patients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The `patients.csv` and `others.csv` that the pages speak of: bundled patients, a few."""
    patients = pd.read_csv(demo.patients(), dtype=str, keep_default_na=False)
    patients.iloc[:900].to_csv(tmp_path / "patients.csv", index=False)
    patients.iloc[900:1500].to_csv(tmp_path / "others.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def folder_with_scans(tmp_path: Path) -> None:
    """The folders `scans` and `masks` that the pages speak of: sixty bundled X-rays, and about where lungs are."""
    with np.load(demo.chest_xrays()) as arrays:
        images, labels = arrays["train_images"][:60], arrays["train_labels"][:60].reshape(-1)
    down, right = np.mgrid[:28, :28]
    lungs = np.minimum(np.hypot((down - 14) / 9, (right - 8) / 5), np.hypot((down - 14) / 9, (right - 20) / 5)) < 1
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        name = f"{demo.XRAY_CLASSES[label]}/p{number // 2:02d}-{number}.png"
        for place, values in (
            ("scans", image),
            ("masks", np.where(np.roll(lungs, number % 3), 255, 0).astype(np.uint8)),
        ):
            (tmp_path / place / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(tmp_path / place / name)


def test_there_are_examples() -> None:
    assert blocks(ROOT / "README.md", "python")
    assert blocks(ROOT / "README.md", "console")
    assert all(
        kind in ("python", "console", "toml", "csv") for page in PAGES for kind, _ in FENCE.findall(page.read_text())
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_python_on_the_page(
    page: Path, folder_with_patients: Path, folder_with_scans: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), {"__name__": "__example__"})


def test_the_python_of_the_readme_is_short() -> None:
    (block,) = blocks(ROOT / "README.md", "python")
    assert len([line for line in block.splitlines() if line.strip()]) <= 15


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_on_the_page(
    page: Path, folder_with_patients: Path, folder_with_scans: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for block in blocks(page, "console"):
        for line in block.splitlines():
            prompt, program, *words = shlex.split(line)
            assert (prompt, program) == ("$", "semblance"), line
            code = main([*words, *SHORTER.get(tuple(words[:2]), ())])
            honest = (words[0] in MAY_REFUSE and code == 20) or ("gan" in words and code == COLLAPSED)
            assert code == 0 or honest, (line, capsys.readouterr().err)


def tables_with_schemas() -> list[tuple[str, str]]:
    """Each table on the page of the schema, with the schema that follows it."""
    found = FENCE.findall((ROOT / "docs" / "schema.md").read_text(encoding="utf-8"))
    following = [block for kind, block in found if kind in ("csv", "toml")]
    kinds = [kind for kind, _ in found if kind in ("csv", "toml")]
    assert kinds == ["csv", "toml"] * (len(kinds) // 2)
    return list(zip(following[::2], following[1::2], strict=True))


@pytest.mark.parametrize(("table", "toml"), tables_with_schemas())
def test_a_table_is_read_and_written_as_its_schema_says(table: str, toml: str, tmp_path: Path) -> None:
    """Strictly read, then written byte for byte as it was, but for spellings of "no value" beyond the first."""
    schema = schema_toml.loads(toml, where="docs/schema.md")
    assert schema_toml.loads(schema_toml.dumps(schema), where="written again") == schema
    (tmp_path / "table.csv").write_text(table, encoding="utf-8")
    before = read_source(tmp_path / "table.csv").frame
    Csv().write(semblance.read(tmp_path / "table.csv", schema), tmp_path / "again.csv")
    expected = before.copy()
    for column in schema:
        empty = before[column.name].isin(column.missing)
        assert not empty.all()
        expected[column.name] = before[column.name].mask(empty, column.missing[0] if column.missing else None)
    pd.testing.assert_frame_equal(read_source(tmp_path / "again.csv").frame, expected)
    if expected.equals(before):
        assert (tmp_path / "again.csv").read_text(encoding="utf-8") == table
    with pytest.raises(SchemaError):
        schema_toml.loads(toml.replace("kind =", 'colour = "red"\nkind =', 1), where="docs/schema.md")


def test_pages_link_to_files_that_exist() -> None:
    for page in PAGES:
        for target, place in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                there = page.parent / target if target else page
                assert there.exists(), f"{page.name} → {target}"
                assert not place or place in headings(there), f"{page.name} → {target}#{place}"


def headings(page: Path) -> set[str]:
    """Headings as links spell them."""
    found = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


def test_docstrings() -> None:
    tried = 0
    for found in pkgutil.walk_packages(semblance.__path__, "semblance."):
        if found.name != "semblance.__main__":
            result = doctest.testmod(importlib.import_module(found.name))
            assert result.failed == 0, found.name
            tried += result.attempted
    assert tried
