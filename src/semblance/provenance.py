"""Where a synthetic table came from, in words and versions: what the evidence says beside its findings."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version
from math import isfinite
from typing import Any

from semblance import schema_toml
from semblance.contracts import Generator, Model, Run
from semblance.data.cells import MIN_PATIENTS, make_cells
from semblance.data.dataset import Dataset
from semblance.evidence import canonical_json
from semblance.extras import EXTRAS
from semblance.image_contracts import ImageGenerator
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
        **({"max_minutes": run.max_minutes} if isfinite(run.max_minutes) else {}),
    }


def identity(verb: str, source: str, schema: Schema, recipe: Generator, run: Run) -> dict[str, str]:
    """What must be the same for two calls to learn the same model, as texts: a resumed call is compared by these.

    Args:
        source: Fingerprint of the real table.
    """
    known = of_run(run)
    return {
        "command": verb,
        "source": source,
        "schema": schema_toml.dumps(schema),
        "generator": canonical_json(of_recipe(recipe)),
        "seed": str(run.seeds.root),
        "version": canonical_json({key: known[key] for key in ("semblance", "python", "libraries")}),
    }


def of_recipe(recipe: Generator | ImageGenerator) -> dict[str, Any]:
    """Name and parameters, and versions of what only this recipe needs: enough to fit again."""
    needs = EXTRAS.get(getattr(recipe, "extra", ""), ())
    return {
        "name": recipe.name,
        "parameters": asdict(recipe),
        **({"libraries": {name: version(name) for name in needs}} if needs else {}),
    }


def of_model(model: Model) -> dict[str, float]:
    """What was measured while it learned, such as the terms of its loss: averages over training patients."""
    return dict(getattr(model, "facts", {}))


def all_notes(patients: Dataset, train: Dataset, model: Model) -> list[str]:
    """Everything of the below about the patients, those of them who were learned from, and what came of it."""
    return [*notes_on(patients), *rare_labels(train), *on_learning(model)]


def promised_notes(schema: Schema, model: Model) -> list[str]:
    """What may be said where epsilon is promised: what a person or a charged step knows, and nothing counted beside."""
    return [*_handled(schema), *on_learning(model)]


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
    """Says which columns have labels too rare for our generators to draw, and what becomes of them."""
    never, blurred, pooled = [], [], []
    for column in train.schema.modelled:
        if column.numeric:
            continue
        values = train.frame[column.name]
        cells = make_cells(values, column, subjects=train.subjects)
        if not cells.n_rare:
            continue
        if cells.pools is not None and cells.pools.n:
            labels, system = f"{cells.n_rare} label{'s' * (cells.n_rare > 1)}", cells.pools.hierarchy.title
            groups = f"{cells.pools.n} group{'s' * (cells.pools.n > 1)}"
            pooled.append(f"in column {column.name}, {labels} to {groups} of {system}")
        elif (cells.encode(values)[values.notna().to_numpy()] >= 0).all():
            blurred.append(column.name)
        else:
            never.append(column.name)
    few, notes = f"Labels held by fewer than {MIN_PATIENTS} training patients", []
    if never:
        notes.append(f"{few} are never drawn; {_columns(never)} had such labels.")
    if blurred:
        notes.append(f"{few} are counted to the nearest common step of the scale in {_columns(blurred)}.")
    if pooled:
        fate = "are pooled and drawn as any published code of their group, whoever holds it"
        notes.append(f"{few} {fate}: {'; '.join(pooled)}.")
    return notes


def _columns(names: list[str]) -> str:
    return f"column{'s' * (len(names) > 1)} {', '.join(names)}"


def on_learning(model: Model) -> list[str]:
    """What the training rows say against the rules of the schema, and whether the clock cut learning short."""
    return list(getattr(model, "notes", ()))


def _repeated(data: Dataset) -> list[str]:
    if data.n_subjects == data.n_rows:
        return []
    return [
        f"Patients (column {data.schema.subject}) have several rows each. Rows are modelled one at a time: "
        "links between the rows of one patient are not reproduced, and every synthetic row is a patient of its own."
    ]
