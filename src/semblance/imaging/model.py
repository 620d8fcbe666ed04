"""A fitted image generator: a net that draws images of given labels, and how often each label is to be drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.data.images import PATIENT, Images
from semblance.errors import InputError
from semblance.image_schema import ImageSchema
from semblance.imaging.listing import made_up
from semblance.imaging.model_files import Kept, read_kept, write_kept
from semblance.privacy.ledger import Ledger

DRAWN = "drawn.json"
NO_GUARANTEE = "no formal guarantee (ε = ∞)"

D = TypeVar("D", bound="DrawnModel")


class ImageNet(Protocol):
    """What knows how images look."""

    def draw(self, labels: NDArray[np.int64], run: Run) -> NDArray[np.float32]:
        """An image for each row of label numbers, -1 for unknown.

        Args:
            labels: (n, conditions), in the order of `ImageSchema.conditions`. run: For its seeds and its progress.

        Returns: (n, channels, height, width), -1 to 1.
        """

    def save(self, folder: Path) -> None:
        """Write data files only; loading them never runs code."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Which labels came together in training, and how often.

    Attributes:
        labels: (k, conditions), -1 for unknown. shares: (k,), summing to 1.
    """

    labels: NDArray[np.int64]
    shares: NDArray[np.float64]

    @classmethod
    def learn(cls, rows: NDArray[np.int64]) -> Mixture:
        """Count the labels of training images, -1 for unknown and for what the net was not told: (n, conditions).

        Privacy: the counts, exactly, stay in the model.
        """
        labels, counts = np.unique(rows, axis=0, return_counts=True)
        return cls(labels.astype(np.int64), counts / counts.sum())

    @classmethod
    def of_classes(cls, schema: ImageSchema, counts: Sequence[float]) -> Mixture:
        """The classes of a schema, as often as these counts say; attributes unknown. One count without classes."""
        labels = np.full((len(counts), len(schema.conditions)), -1, dtype=np.int64)
        if schema.classes:
            labels[:, 0] = np.arange(len(counts))
        return cls(labels, np.array(counts) / sum(counts))

    def draw(self, n: int, rng: np.random.Generator, *, told: Mapping[int, int]) -> NDArray[np.int64]:
        """`n` rows of labels, as often as in training among those with the told labels: (n, conditions).

        Where the told labels never came together, the others are unknown.
        """
        fits = np.ones(len(self.labels), dtype=bool)
        for column, label in told.items():
            fits &= self.labels[:, column] == label
        if fits.any():
            chosen = self.labels[fits]
            return chosen[rng.choice(len(chosen), size=n, p=self.shares[fits] / self.shares[fits].sum())]
        row = np.full(self.labels.shape[1], -1, dtype=np.int64)
        row[list(told)] = list(told.values())
        return np.tile(row, (n, 1))


@dataclass(frozen=True, slots=True)
class DrawnModel:
    """An ImageModel (``image_contracts.py``) around a net.

    Attributes:
        name: Of the recipe. notes, facts, training: As ``image_contracts.ImageModel`` says.
        guarantee: What is promised formally of all that was read off patients, in a sentence.
    """

    name: str
    schema: ImageSchema
    net: ImageNet
    mixture: Mixture
    notes: tuple[str, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, list[dict[str, float]]] = field(default_factory=dict)
    guarantee: str = NO_GUARANTEE

    @property
    def keeps_real_values(self) -> bool:
        """Nets hold weights, not images; that they hold none by heart is for an audit to show."""
        return False

    def sample(self, n: int, run: Run, *, given: Mapping[str, str] | None = None) -> Images:
        """Draw `n` images. Raises InputError where `given` names what the images were not told apart by."""
        told = numbers_of(given or {}, self.schema)
        for name, column in zip(given or {}, told, strict=True):
            if (self.mixture.labels[:, column] < 0).all():
                raise InputError(f"this model was not told {name!r} of its images and cannot be asked for it.")
        labels = self.mixture.draw(n, run.seeds(f"sample/{self.name}/labels"), told=told)
        drawn = self.schema.from_unit(self.net.draw(labels, run))
        return Images(drawn, about_labels(labels, self.schema), self.schema, origin="synthetic")

    def save(self, folder: Path) -> None:
        """Write the net, the labels' shares, and how training went."""
        self.net.save(folder)
        known: dict[str, object] = {"labels": self.mixture.labels.tolist(), "shares": self.mixture.shares.tolist()}
        if self.guarantee != NO_GUARANTEE:
            known["guarantee"] = self.guarantee
        write_kept(self, folder / DRAWN, known)


def guarantee_of(ledger: Ledger) -> str:
    """What a ledger's charges promise of the patients, in a sentence."""
    claim = ledger.claim()
    if claim is None:
        return NO_GUARANTEE
    few = f", of whom {claim['rows_per_unit']} image(s) at most are used" if claim["rows_per_unit"] else ""
    return (
        f"differential privacy: ε = {claim['epsilon']:.4g} at δ = {claim['delta']:g}, for adding or removing one "
        f"{claim['unit']}{few}"
    )


def numbers_of(given: Mapping[str, str], schema: ImageSchema) -> dict[int, int]:
    """Told labels as numbers: place of the condition -> place of its label.

    Raises:
        InputError: there is no such condition, or no such label of it.
    """
    told: dict[int, int] = {}
    conditions = schema.conditions
    for name, label in given.items():
        if name not in conditions:
            raise InputError(
                f"images cannot be asked for by {name!r}; they can by {', '.join(conditions) or 'nothing'}."
            )
        if label not in conditions[name]:
            raise InputError(f"{name!r} has no label {label!r}; it has {', '.join(conditions[name])}.")
        told[list(conditions).index(name)] = conditions[name].index(label)
    return told


def about_labels(labels: NDArray[np.int64], schema: ImageSchema) -> pd.DataFrame:
    """What a schema wants told of synthetic images: their labels, and patients who are nobody."""
    about: dict[str, list[str | None]] = {}
    for column, (name, known) in zip(labels.T, schema.conditions.items(), strict=True):
        about[name] = [known[number] if number >= 0 else None for number in column]
    if schema.patient:
        about[PATIENT] = [made_up(number, len(labels)) for number in range(1, len(labels) + 1)]
    return pd.DataFrame(about, index=range(len(labels)), dtype=object)


def load_drawn(kind: type[D], name: str, folder: Path, schema: ImageSchema, read_net: Callable[[], ImageNet]) -> D:
    """Read back what `DrawnModel.save` wrote.

    Args:
        kind: Of model. name: Of the recipe.

    Raises:
        FormatError: a file of it is missing or damaged.
    """

    def make(kept: Kept) -> D:
        shares = np.array(kept.known["shares"], dtype=np.float64)
        labels = np.array(kept.known["labels"], dtype=np.int64).reshape(len(shares), len(schema.conditions))
        told = (kept.notes, kept.facts, kept.training, str(kept.known.get("guarantee", NO_GUARANTEE)))
        return kind(name, schema, read_net(), Mixture(labels, shares), *told)

    return read_kept(folder / DRAWN, make, name=name)
