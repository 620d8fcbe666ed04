"""A variational autoencoder on rows of cells, with a second stage that draws codes where they really lie.

The encoder squeezes a row of cells (``data/cells.py``) into a code of a few numbers, the decoder turns a code into the
probability of every cell of every column, from which each is drawn on its own (``nets/vae.py``). Codes of patients do
not lie as the prior says; where they do lie is learned afterwards (``nets/latent_sampler.py``), and measured before and
after. Columns that another one settles are looked up (``data/dependents.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from semblance.conditionals.latent import LatentModel, load_model
from semblance.contracts import Generator, Model, Run
from semblance.data.alphabet import Alphabet
from semblance.data.cells import MIN_PATIENTS
from semblance.data.dataset import Dataset
from semblance.errors import FitError, InputError
from semblance.extras import need
from semblance.marginals.ground import lay_ground, plan_with
from semblance.marginals.patients import cap_rows
from semblance.privacy.events import Composed, Event, Gaussian
from semblance.privacy.sampled import Sampled, cut_short
from semblance.schema import Schema

PRIVATE = {"max_cells": 32, "latent": 12, "width": 128, "depth": 1, "epochs": 20}
"""Where epsilon is promised, these are at most so large: noise grows with each number that is learned."""
PLACE = 0.05
"""Share of what is left after the cells that tells where codes lie; the rest is for training."""


@dataclass(frozen=True, slots=True)
class VAE:
    """Encoder and decoder, trained to reconstruct rows from codes that may tell only so much.

    Attributes:
        beta: What a nat of rate costs, in nats of distortion. 1 is the ELBO; more makes codes tell less of a patient,
            less makes rows sharper and leaves more to the second stage.
        max_cells: Spikes, and quantile cells, per numeric column, at most.
        min_patients: Patients behind every label, every spike and every knot of a cell.
        latent: Numbers in a code, at most; two for each column. width: Of both nets' layers. depth: Hidden layers of
            both nets.
        parts: Normal distributions that the second stage is a mixture of, at most.
        steps: Updates, at most. epochs: Times that every row is seen, at most. Patients who are left out say when to
            stop earlier.
        batch: Rows of an update, at most.
        learning_rate: Of both nets.
        sampled: Share of the patients in an update, where epsilon is promised. reach: Length to which a patient's
            gradient is then clipped. Nets are then no larger than `PRIVATE` says.
    """

    name: ClassVar[str] = "vae"
    about: ClassVar[str] = "an autoencoder with a learned place for its codes; needs the extra 'neural'"
    extra: ClassVar[str] = "neural"
    private: ClassVar[bool] = True  # charges all it touches: may be used where epsilon is promised

    beta: float = 0.5
    max_cells: int = 256
    min_patients: int = MIN_PATIENTS
    latent: int = 24
    width: int = 256
    depth: int = 2
    parts: int = 200
    steps: int = 4000
    epochs: int = 40
    batch: int = 512
    learning_rate: float = 0.002
    sampled: float = 0.05
    reach: float = 1.0

    def __post_init__(self) -> None:
        for name in (
            "min_patients",
            "latent",
            "width",
            "depth",
            "parts",
            "steps",
            "epochs",
            "batch",
            "learning_rate",
            "reach",
        ):
            if getattr(self, name) <= 0:
                raise InputError(f"parameter {name!r} of generator 'vae' must be above 0.")
        if not 0 < self.sampled <= 0.5:
            raise InputError("parameter 'sampled' of generator 'vae' must be above 0 and at most 0.5.")
        if self.beta < 0 or self.max_cells < 4:
            raise InputError("generator 'vae' needs a beta of at least 0, and at least 4 cells.")

    def refuses(self, schema: Schema) -> str | None:
        return None if schema.modelled else "every column is an identifier, free text, or left out."

    def fit(self, train: Dataset, run: Run) -> LatentModel:
        """Learn from training rows.

        PRIVACY: uses up what is left of `run.ledger.allowance`: cells, how common each is, noisy steps (DP-SGD), and
        where codes lie, each charged before it is looked at. At most `allowance.cap` rows of each patient are used (1
        where it says None). Without an allowance: no formal guarantee.

        Raises:
            FitError: there is nothing to learn from, or training diverged.
            BudgetExceeded: nothing is left to spend; nothing was looked at.
            MissingExtra: PyTorch is not installed.
        """
        if run.ledger.allowance is None:
            return self._learn(train, run, None)
        return self._learn_privately(train, run)

    def again(self, model: Model) -> Generator:
        """This recipe for other patients, stopped where it served `model`'s left-out patients best."""
        stop = model.facts.get("stopped_at") if isinstance(model, LatentModel) else None
        return self if stop is None else VAEAgain(self, stop)

    def _learn_privately(self, train: Dataset, run: Run) -> LatentModel:
        reason = self.refuses(train.schema)
        if reason or not train.n_rows:
            raise FitError(reason or "there are no training rows; check the source.")
        need("neural", "generator 'vae'")
        from semblance.nets.private.vae import Plan, learn_vae
        from semblance.nets.vae import Shape

        small = self._small()
        budget = plan_with(train.schema, run.ledger, cells=small.max_cells, rest=lambda rho: small._charges(rho)[2])
        training, place, _ = small._charges(budget.rest)
        rows = cap_rows(train, budget.most)
        ground = lay_ground(rows, budget, run.ledger.spend, "vae")
        run.ledger.spend("vae/place", Gaussian(place))
        run.ledger.spend("vae/training", training.event)
        alphabet = Alphabet(ground.opened(train.schema), ground.cells)
        shape = Shape(small.latent, small.width, small.depth)
        plan = Plan(shape, self.beta, self.learning_rate, self.reach, training, place)
        codes = alphabet.encode(rows)
        net, taken = learn_vae(alphabet, codes, rows.subjects, ground.shares, ground.rows, plan=plan, run=run)
        facts = {"rows": ground.rows, "steps": float(taken)}
        return LatentModel(self.name, alphabet, net, cut_short(taken, training), facts)

    def _small(self) -> VAE:
        """The recipe with nets no larger, and trainings no longer, than noise leaves something of."""
        return replace(self, **{name: min(getattr(self, name), most) for name, most in PRIVATE.items()})

    def _charges(self, rho: float) -> tuple[Sampled, float, Event]:
        """The steps, the noise on where codes lie, and what both cost: about `rho`-zCDP together."""
        steps = min(self.steps, max(1, round(self.epochs / self.sampled)))
        training = Sampled.worth((1 - PLACE) * rho, rate=self.sampled, steps=steps)
        place = 1 / math.sqrt(2 * PLACE * rho)
        return training, place, Composed((Gaussian(place), training.event))

    def _learn(self, train: Dataset, run: Run, stop: float | None) -> LatentModel:
        reason = self.refuses(train.schema)
        if reason or not train.n_rows:
            raise FitError(reason or "there are no training rows; check the source.")
        need("neural", "generator 'vae'")
        from semblance.nets.vae import Shape
        from semblance.nets.vae_learning import Plan, learn

        alphabet = Alphabet.learn(train, max_cells=self.max_cells, min_patients=self.min_patients)
        batch = min(self.batch, max(32, train.n_rows // 32))
        plan = Plan(
            shape=Shape(self.latent, self.width, self.depth),
            beta=self.beta,
            steps=min(self.steps, max(100, self.epochs * train.n_rows // batch)),
            batch=batch,
            learning_rate=self.learning_rate,
            parts=self.parts,
            min_patients=self.min_patients,
            stop=stop,
        )
        learned = learn(alphabet, alphabet.encode(train), train.subjects, plan=plan, run=run)
        notes = tuple(log.note for log in learned.logs.values() if log.note)
        curves = {name: log.lines for name, log in learned.logs.items()}
        return LatentModel(self.name, alphabet, learned.net, notes, learned.facts, curves)

    @staticmethod
    def load(folder: Path, schema: Schema) -> LatentModel:
        """Read a saved model: JSON and safetensors, neither of which runs code.

        Raises:
            InputError: the folder does not hold such a model, or a file of it is damaged.
            MissingExtra: PyTorch is not installed.
        """
        need("neural", "generator 'vae'")
        from semblance.nets.vae_net import VaeNet

        def read_net(alphabet: Alphabet) -> VaeNet:
            return VaeNet.load(folder, alphabet.sizes, [cells.quantile_cells for cells in alphabet.cells])

        return load_model(VAE.name, folder, schema, read_net)


@dataclass(frozen=True, slots=True)
class VAEAgain:
    """A VAE for which another model has found out when to stop; see ``Repeatable`` in ``contracts.py``.

    Attributes:
        recipe: All that is not searched for. stop: Share of the steps to take. As in the search, a tenth of the
            patients is left out, so that what the attacks learn from it holds for the model itself.
    """

    name: ClassVar[str] = VAE.name
    about: ClassVar[str] = VAE.about
    extra: ClassVar[str] = VAE.extra

    recipe: VAE
    stop: float

    @property
    def min_patients(self) -> int:
        return self.recipe.min_patients

    def refuses(self, schema: Schema) -> str | None:
        return self.recipe.refuses(schema)

    def fit(self, train: Dataset, run: Run) -> LatentModel:
        """Learn from training rows, as `VAE.fit` does, as far as is known to be best."""
        return self.recipe._learn(train, run, self.stop)

    @staticmethod
    def load(folder: Path, schema: Schema) -> LatentModel:
        return VAE.load(folder, schema)
