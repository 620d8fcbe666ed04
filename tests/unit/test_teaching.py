"""The command `explain`, as a person and as a program calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semblance.cli import main


def test_alone_it_lists_the_lessons_as_list_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    listed = capsys.readouterr().out
    assert "gan-game" in listed
    assert "The game behind a GAN" in listed
    assert main(["list", "lessons"]) == 0
    assert capsys.readouterr().out == listed
    assert main(["explain", "--lang", "zh", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lessons"]["gan-game"] == "GAN 背后的博弈"


def test_a_lesson_for_a_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "gan-game"]) == 0
    told = capsys.readouterr().out
    assert "Closed form 0.4   Simulated 0.4   agrees" in told
    assert max(map(len, told.splitlines())) <= 100
    page = tmp_path / "page.html"
    assert main(["explain", "gan-game", "--lang", "zh", "-o", str(page)]) == 0
    assert "10 of 10 numbers agree" in capsys.readouterr().out
    assert "闭式解" in page.read_text("utf-8")
    assert main(["explain", "gan-game", "-o", str(page)]) == 10
    assert "exists, and is left as it is" in capsys.readouterr().err


def test_a_lesson_for_a_program_depends_on_the_seed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for seed in ("3", "3", "4"):
        assert main(["explain", "gan-game", "--seed", seed, "--set", "theta=0.25", "--json"]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2]
    facts = json.loads(said[0])
    assert facts["settings"] == {"theta": 0.25, "step": 1.0}
    assert facts["agrees"] is True
    assert all(claim["agrees"] for claim in facts["claims"])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["alchemy"], 11, "there is no lesson 'alchemy'; there are gan-game"),
        (["gan-game", "--set", "colour=1"], 10, "lesson 'gan-game' has no parameter 'colour'; it has theta, step"),
        (["gan-game", "--set", "theta=high"], 10, "must be of type float"),
        (["gan-game", "--set", "theta=2"], 10, "theta must lie in [0, 1]"),
        (["gan-game", "--set", "theta"], 2, "--set takes KEY=VALUE"),
        (["--set", "theta=1"], 2, "go with a TOPIC"),
    ],
)
def test_what_cannot_be_taught_is_one_line(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", *words]) == code
    assert said in capsys.readouterr().err
