"""Every rule on the page of rules is learned from the page's own table, and holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semblance import pipeline, schema_toml
from semblance.generators.independent import Independent
from semblance.rules.broken import inspect
from semblance.rules.model import RuledModel

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = FENCE.findall(PAGE)
RULES = [body for kind, body in BLOCKS if kind == "toml"]


@pytest.fixture
def stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    exec(next(body for kind, body in BLOCKS if kind == "python"), {"__name__": "__example__"})
    return tmp_path / "stays.csv"


@pytest.mark.parametrize("block", [*RULES, "\n".join(RULES)], ids=lambda b: f"{b.count('[[rules]]')} {b.split()[1]}")
def test_a_rule_of_the_page_holds_in_rows_drawn_from_its_table(block: str, stays: Path) -> None:
    described = schema_toml.dumps(pipeline.describe(stays))
    schema = schema_toml.loads(described + block, where="docs/rules.md")
    assert len(schema.rules) == block.count("[[rules]]")
    patients, run = pipeline.read(stays, schema), pipeline.begin(seed=1)
    model = pipeline.fit(patients, run, generator=Independent())
    assert isinstance(model, RuledModel)
    assert model.notes == ()
    fake = pipeline.sample(model, run, n=1000)
    for rule in schema.rules:
        assert not inspect(patients, rule, real=[patients]).broken.any()
        assert not inspect(fake, rule, real=[patients]).broken.any()


def test_the_page_has_every_kind_of_rule() -> None:
    assert {re.findall(r"^(\w+) =", block, re.MULTILINE)[0] for block in RULES} == {
        "order", "anchor", "combination", "missing", "derived"
    }  # fmt: skip


TABLE = PAGE.split("| piece | example |\n| --- | --- |\n")[1].split("\n\n")[0]
CONDITIONS = [text for row in TABLE.splitlines() for text in re.findall(r"`([^`]+)`", row.split("|")[2])]
ABOUT_STAYS = [text for text in CONDITIONS if "stage" not in text and text != "categories"]


@pytest.mark.parametrize("condition", ABOUT_STAYS)
def test_the_conditions_in_the_table_are_conditions(condition: str, stays: Path) -> None:
    block = f"[[rules]]\nmissing = \"operated\"\nunless = '{condition}'\n"
    schema = schema_toml.loads(schema_toml.dumps(pipeline.describe(stays)) + block, where="docs/rules.md")
    assert inspect(pipeline.read(stays, schema), schema.rules[0]).applies.any()
