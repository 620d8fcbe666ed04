"""Where a synthetic table came from, in words and versions: what the evidence says beside its findings."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import pandas as pd

from semblance.contracts import Generator, Model, Run
from semblance.data.cells import MIN_PATIENTS
from semblance.data.dataset import Dataset
from semblance.rules.model import RuledModel
from semblance.schema import Schema

LIBRARIES = ("numpy", "pandas", "scipy", "lightgbm", "pyarrow")


def of_run(run: Run) -> dict[str, Any]:
    """Seed and versions. No clock and no machine's name: equal runs must give equal bytes."""
    return {
        "semblance": version("semblance"),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "seed": run.seeds.root,
        "quick": run.quick,
    }


def of_recipe(recipe: Generator) -> dict[str, Any]:
    """Name and parameters, enough to fit again."""
    return {"name": recipe.name, "parameters": asdict(recipe)}


def notes_on(data: Dataset) -> list[str]:
    """What a reader must know about how `data` was treated, one sentence each; column names, never values."""
    return [*_handled(data.schema), *_repeated(data)]


def _handled(schema: Schema) -> list[str]:
    said = {
        "surrogate": "replaced by freshly made surrogates and never learned",
        "blank": "left empty and never learned",
        "drop": "left out and never learned",
    }
    notes = []
    for handling, words in said.items():
        names = [c.name for c in schema if c.handling == handling]
        if names:
            columns = "Column" if len(names) == 1 else "Columns"
            notes.append(f"{columns} {', '.join(names)}: {words}.")
    return notes


def rare_labels(train: Dataset) -> list[str]:
    """Says, in one sentence or none, which columns have labels too rare for our generators to draw."""
    names = []
    for column in train.schema.modelled:
        if not column.numeric:
            held = pd.DataFrame({"label": train.frame[column.name], "patient": train.subjects}).groupby("label")
            if (held["patient"].nunique() < MIN_PATIENTS).any():
                names.append(column.name)
    if not names:
        return []
    columns = f"column{'s' * (len(names) > 1)} {', '.join(names)}"
    return [f"Labels held by fewer than {MIN_PATIENTS} training patients are never drawn; {columns} had such labels."]


def broken_rules(model: Model) -> list[str]:
    """What the training rows say against the rules of the schema, one sentence for each rule that some break."""
    return list(model.notes) if isinstance(model, RuledModel) else []


def _repeated(data: Dataset) -> list[str]:
    if data.n_subjects == data.n_rows:
        return []
    return [
        f"Patients (column {data.schema.subject}) have several rows each. Rows are modelled one at a time: "
        "links between the rows of one patient are not reproduced, and every synthetic row is a patient of its own."
    ]
