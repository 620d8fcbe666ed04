"""Shadow models: halves by patient, work kept and resumed, one answer whatever the number of workers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.attacks.targets import choose
from semblance.audits.membership import Membership, shadow
from semblance.audits.membership.lira import Size
from semblance.audits.membership.training import STAGE, Pool
from semblance.checkpoint import Work
from semblance.contracts import FORGETFUL, Checkpoint, Comparison, Progress, Run, silent
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import FitError
from semblance.evidence import Evidence, canonical_json
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (Column("x", "number"), Column("y", "number"), Column("z", "category"))
SMALL = Size(models=4, rows=200, targets=100)


def run_of(*, workers: int = 1, checkpoint: Checkpoint = FORGETFUL, progress: Progress = silent) -> Run:
    return Run(Seeds(1), Ledger(), Local(workers), progress, checkpoint=checkpoint)


def visits(patients: int, each: int, seed: int, *, origin: str = "real") -> Dataset:
    rng = np.random.default_rng(seed)
    n = patients * each
    frame = pd.DataFrame(
        {
            "id": np.repeat([f"{seed}-{i}" for i in range(patients)], each).astype(object),
            "x": rng.normal(size=n),
            "y": rng.normal(size=n),
            "z": np.where(rng.random(n) < 0.5, "a", "b").astype(object),
        }
    )
    schema = Schema((Column("id", "code", role="subject", handling="surrogate"), *COLUMNS))
    return Dataset(frame, schema, origin)  # type: ignore[arg-type]


class Recipe:
    """Draws its patients again; counts its calls, and gives up after some."""

    def __init__(self, most: int = 10**9) -> None:
        self.calls, self.most = 0, most

    def __call__(self, patients: Dataset, n: int, run: Run, /) -> Dataset:
        self.calls += 1
        if self.calls > self.most:
            raise KeyboardInterrupt
        return patients.take(run.seeds("forge").integers(0, patients.n_rows, n))


def comparison(forge: Recipe | None) -> Comparison:
    return Comparison(visits(150, 2, 1), visits(120, 2, 2), visits(300, 1, 3, origin="synthetic"), forge=forge)


def told(run: Run, forge: Recipe | None, size: Size = SMALL) -> str:
    return canonical_json(Evidence(shadow.judge(comparison(forge), COLUMNS, run, size)).to_dict())


def test_every_patient_is_in_exactly_half_of_the_models_with_all_rows() -> None:
    compared = comparison(None)
    targets = choose(compared, COLUMNS, run_of(), members=80, others=80)
    pool = Pool.of(compared, targets, run_of(), rows=10_000)
    halves = pool.halves(16, run_of())
    assert pool.n_patients == 270
    assert (halves.sum(axis=0) == 8).all()
    assert set(halves.sum(axis=1)) == {135}
    assert pool.data.n_rows == 540
    assert (np.bincount(pool.patients) == 2).all()
    records = pd.concat([targets.members.frame, targets.others.frame])["id"].to_numpy()
    first = pd.Series(pool.data.frame["id"].to_numpy()).groupby(pool.patients).first()
    assert (first.to_numpy()[pool.targets] == records).all()


def test_a_large_table_is_learned_from_the_targets_and_some_others() -> None:
    compared = comparison(None)
    targets = choose(compared, COLUMNS, run_of(), members=30, others=30)
    pool = Pool.of(compared, targets, run_of(), rows=200)
    assert pool.data.n_rows == 200
    assert len(np.unique(pool.targets)) == 60


def test_interrupted_work_is_resumed_to_the_same_bytes(tmp_path: Path) -> None:
    work = Work(tmp_path / "work", {"of": "a test"})
    stopped = Recipe(most=2)
    with pytest.raises(KeyboardInterrupt):
        told(run_of(checkpoint=work), stopped)
    resumed = Recipe()
    assert told(run_of(checkpoint=work), resumed) == told(run_of(), Recipe())
    assert resumed.calls == 2


def test_kept_work_of_another_size_is_not_taken_for_this(tmp_path: Path) -> None:
    work = Work(tmp_path / "work", {"of": "a test"})
    told(run_of(checkpoint=work), Recipe(), Size(models=4, rows=200, targets=60))
    again = Recipe()
    told(run_of(checkpoint=work), again)
    assert again.calls == 4


def test_workers_do_not_change_the_answer_and_progress_comes_to_its_end() -> None:
    seen: list[tuple[str, int, int]] = []
    one = told(run_of(progress=lambda *now: seen.append(now)), Recipe())
    assert seen == [(STAGE, done, 4) for done in range(5)]
    assert told(run_of(workers=2), Recipe()) == one


def test_without_a_recipe_the_findings_are_skipped_and_say_why() -> None:
    found = Membership().judge(comparison(None), run_of())
    shadows = [f for f in found if "shadow" in f.name]
    assert len(shadows) == 7
    assert {(f.status, f.why) for f in shadows} == {
        ("skipped", "the table was made elsewhere, so there is no recipe to train shadow models with")
    }


def test_a_recipe_that_cannot_learn_from_half_is_skipped_not_an_error() -> None:
    class Picky(Recipe):
        def __call__(self, patients: Dataset, n: int, run: Run, /) -> Dataset:
            raise FitError("too few patients.")

    found = shadow.judge(comparison(Picky()), COLUMNS, run_of(), SMALL)
    assert {(f.status, f.why) for f in found} == {("skipped", "the recipe could not learn from half of the patients")}


def test_nothing_in_the_findings_points_at_a_record() -> None:
    text = told(run_of(), Recipe())
    assert "-17" not in text.replace("e-17", "")
    assert '"1-' not in text
    assert '"2-' not in text
