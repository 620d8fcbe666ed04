"""Whatever table a stranger brings: a release, a refusal, or one sentence; never a traceback, never half a folder."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semblance.cli import main
from semblance.release import bundle

ALLOWED = {0, 10, 11, 14, 20}


def _numbers(rng: np.random.Generator, n: int) -> list[str]:
    spread = rng.choice([1e-9, 1.0, 1e9])
    return [f"{x:.{rng.integers(0, 4)}f}" for x in rng.normal(0, spread, n)]


def _integers(rng: np.random.Generator, n: int) -> list[str]:
    return [str(x) for x in rng.integers(-3, 10 ** rng.integers(1, 15), n)]


def _constant(rng: np.random.Generator, n: int) -> list[str]:
    return [rng.choice(["", "0", "x", "NA", "2020-01-01"])] * n


def _labels(rng: np.random.Generator, n: int) -> list[str]:
    return [str(x) for x in rng.choice(["a", "b b", 'say "c"', "d,e", "ü", "女", " ", "007", "1"], n)]


def _nearly_unique(rng: np.random.Generator, n: int) -> list[str]:
    return [f"T{x:05d}-{rng.integers(0, 9)}" for x in rng.permutation(n)]


def _mixed(rng: np.random.Generator, n: int) -> list[str]:
    return [str(rng.choice(["1", "2.5", "high", "<3", "1e400", "true", "2020-13-45", "-", "0x1F"])) for _ in range(n)]


def _dates(rng: np.random.Generator, n: int) -> list[str]:
    days = np.datetime64("1899-12-30") + rng.integers(0, 60_000, n).astype("timedelta64[D]")
    return [str(rng.choice([str(d), str(d), ""])) for d in days]


def _one_outlier(rng: np.random.Generator, n: int) -> list[str]:
    return [*["5"] * (n - 1), "123456789012345678901234567890"]


def _text(rng: np.random.Generator, n: int) -> list[str]:
    words = ["the", "patient", "felt", "better", "worse", "today", "pain\nleft", "arm"]
    return [" ".join(rng.choice(words, rng.integers(3, 12))) for _ in range(n)]


MAKERS = (_numbers, _integers, _constant, _labels, _nearly_unique, _mixed, _dates, _one_outlier, _text)
NAMES = (
    "age",
    "value (mg/dl)",
    "姓名",
    "id",
    "a.b",
    "x[0]",
    "SELECT *",
    "größe",
    "{json}",
    "date of birth",
    "<b>w</b>",
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, str | None, str | None]:
    """A table of 2–70 rows, and columns to call target and subject."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.sampled_from([2, 19, 20, 21, 35, 35, 70, 70]))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    frame = pd.DataFrame({name: draw(st.sampled_from(MAKERS))(rng, n) for name in names})
    for name in names:
        if draw(st.booleans()):
            frame.loc[rng.random(n) < 0.3, name] = ""
    role = st.none() | st.sampled_from(names)
    return frame, draw(role), draw(role)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(table=tables(), generator=st.sampled_from(["chain", "independent"]))
def test_any_table(table, generator: str, capsys: pytest.CaptureFixture[str]) -> None:
    frame, target, subject = table
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "source.csv", Path(folder) / "release"
        frame.to_csv(source, index=False)
        words = ["run", str(source), "--out", str(out), "--quick", "--generator", generator]
        words += ["--target", target] if target else []
        words += ["--subject", subject] if subject else []
        code = main(words)
        told = capsys.readouterr().err.splitlines()
        assert code in ALLOWED
        assert len(told) == (code != 0), told
        assert out.exists() == (code in (0, 20))
        if out.exists():
            bundle.verify(out)
        assert {p.name for p in Path(folder).iterdir()} <= {"source.csv", "release"}
