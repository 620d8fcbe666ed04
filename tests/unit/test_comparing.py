"""The commands that set hospitals beside each other: answers for people and machines, pages in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.cli import main
from semblance.evidence import Evidence
from semblance.pipeline import comparing
from semblance.pipeline.reading import begin
from semblance.report.language import language

N = 240


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(1)
    site = rng.choice(["North", "South"], N)
    age = 60 + 8 * rng.normal(size=N) + 10 * (site == "South")
    died = np.where(rng.random(N) < 1 / (1 + np.exp(-(age - 65) / 6)), "yes", "no")
    path = tmp_path_factory.mktemp("table") / "patients.csv"
    frame = {"site": site, "age": age.round(1), "lab": rng.normal(5, 1, N).round(2), "died": died}
    pd.DataFrame(frame).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise with a mark on the films of one hospital, where most of the ill are."""
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, N)
    sites = np.where(rng.random(N) < np.where(labels == 1, 0.9, 0.2), "South", "North")
    images = rng.normal(100, 12, (N, 16, 16))
    images[sites == "South", 2:4, 2:4] = 240
    path = tmp_path_factory.mktemp("films") / "films.npz"
    np.savez(path, images=np.clip(images, 0, 255).astype(np.uint8), labels=labels, sites=sites)
    return path


def test_a_table_is_told_in_lines_and_written_as_evidence(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "evidence.json"
    asked = ["shift", str(table), "--site", "site", "--target", "died", "--quick"]
    assert main([*asked, "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert re.search(r"columns that differ +0\.\d+ share; most: age", said)
    assert re.search(r"model carried to another site.*from (North|South) .* to (North|South)", said)
    evidence = Evidence.from_dict(json.loads(out.read_text(encoding="utf-8")))
    domain = evidence.get("shift.domain.auc")
    assert domain is not None
    assert domain.low is not None
    assert domain.low > 0.6
    assert all(count % 5 == 0 for count in domain.detail["patients_counts"])  # rounded, as all counts that leave
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == evidence.to_dict()["findings"]
    assert main([*asked, "-o", str(out)]) == 10  # exists


def test_a_site_that_is_not_there_is_refused_in_a_line(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shift", str(table), "--site", "hospital"]) == 10
    assert "there is no column 'hospital'" in capsys.readouterr().err
    assert main(["shift", str(table), "--site", "site", "--target", "site"]) == 10
    assert "target and the site" in capsys.readouterr().err


def test_films_are_told_in_lines_and_shown_on_a_page(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert main(["images", "shift", str(films), "--quick", "--report", str(page)]) == 0
    said = capsys.readouterr().out
    assert re.search(r"label from site alone +0\.8", said)
    assert re.search(r"verdicts that hang on the place +0\.[1-9]", said)
    text = page.read_text(encoding="utf-8")
    assert text.count('src="data:image/png') == 2
    assert "For the board alone" not in text


def test_nothing_known_of_films_is_refused_in_a_line(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(films) as arrays:
        np.savez(tmp_path / "bare.npz", images=arrays["images"])
    assert main(["images", "shift", str(tmp_path / "bare.npz")]) == 10
    assert "neither" not in (err := capsys.readouterr().err)
    assert "--site or --labels" in err


@pytest.mark.parametrize("known", ["both", "label", "site"])
def test_all_that_is_found_is_said_in_chinese(known: str, films: Path, tmp_path: Path) -> None:
    with np.load(films) as arrays:
        kept = {name: arrays[name] for name in arrays if known == "both" or name in ("images", f"{known}s")}
    np.savez(tmp_path / "films.npz", **kept)
    evidence, plates = comparing.shift_images(tmp_path / "films.npz", begin(quick=True))
    say = language("zh")
    said = [text for f in evidence for text in (f.question, f.why, f.method)]
    said += [text for plate in plates for text in (plate.title, plate.caption)]
    for text in filter(None, said):
        assert re.search(r"[\u4e00-\u9fff]", say(text)), text
    assert say.missing == []
