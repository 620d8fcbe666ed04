"""`semblance report`: the page of a release folder once more, in another language, from what the folder holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from semblance.cli import main
from semblance.evidence import Evidence, Finding
from semblance.release import bundle
from semblance.release.gate import Policy, decide
from semblance.schema import Column, Schema
from semblance.schema_toml import dumps


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    evidence = Evidence((Finding("copies.exact.excess", "?", 0.5, 0.4, 0.6),), provenance={"recipe": None})
    policy = Policy.load(None)
    schema = dumps(Schema((Column("age", "number"),)))
    return bundle.write(
        tmp_path / "release",
        evidence=evidence,
        verdict=decide(evidence, policy),
        policy=policy,
        schema_text=schema,
        write_synthetic=None,
        language="zh",
    )


def test_the_same_language_gives_the_page_of_the_folder_and_another_gives_another(folder: Path, tmp_path: Path) -> None:
    before = (folder / "report.html").read_bytes()
    for language in ("zh", "en"):
        assert main(["report", str(folder), "--lang", language, "-o", str(tmp_path / f"{language}.html")]) == 0
    assert (tmp_path / "zh.html").read_bytes() == before == (folder / "report.html").read_bytes()
    assert '<html lang="zh-Hans">' in before.decode()
    assert '<html lang="en">' in (tmp_path / "en.html").read_text("utf-8")


def test_a_folder_that_was_changed_has_no_report(folder: Path, tmp_path: Path) -> None:
    (folder / "card.md").write_text("something else", "utf-8")
    assert main(["report", str(folder), "-o", str(tmp_path / "page.html")]) == 21
    assert not (tmp_path / "page.html").exists()


def test_a_language_that_is_not_there_is_a_slip_of_the_pen(folder: Path, tmp_path: Path) -> None:
    assert main(["report", str(folder), "--lang", "de", "-o", str(tmp_path / "page.html")]) == 2
