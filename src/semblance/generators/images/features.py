"""Images from noisy sums of features: the default where epsilon is promised for images.

A Gaussian for each class, in a basis that needed no patient (``imaging/noisy_gaussian.py``); then, where `steps` are
above 0, a net that corrects its images until what is told of them agrees with one noisy sum of what is told of the
patients' (``nets/images/matched_learning.py``; after Harder, Adamczewski and Park 2021, DP-MERF).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from semblance.contracts import Run
from semblance.data.images import Images
from semblance.errors import FitError, InputError
from semblance.extras import need
from semblance.image_schema import ImageSchema
from semblance.imaging.crowd import Crowd
from semblance.imaging.model import DrawnModel, Mixture, guarantee_of, load_drawn
from semblance.imaging.onlooker import Onlooker

if TYPE_CHECKING:
    from semblance.nets.images.matched_learning import Plan
    from semblance.nets.images.matched_net import MatchedNet
    from semblance.nets.training import Log


@dataclass(frozen=True, slots=True)
class Features:
    """Noisy sums, and a generator fitted to them.

    Attributes:
        steps: Of training; 0 for the Gaussian alone.
        share: Of the budget, for what is told beyond the Gaussian.
        batch: Images made in a step. learning_rate: At its highest.
        ways: Main ways to differ along which random features look. features: Random ones.
        width: Channels of the net's finest level, a multiple of 16. told: Length of the context.
    """

    name: ClassVar[str] = "features"
    about: ClassVar[str] = "noisy sums of features, and images that agree with them: the default with --epsilon"
    extra: ClassVar[str] = "neural"
    private: ClassVar[bool] = True  # charges all it touches: may be used where epsilon is promised

    steps: int = 0
    share: float = 0.3
    batch: int = 160
    learning_rate: float = 0.002
    ways: int = 16
    features: int = 256
    width: int = 16
    told: int = 32

    def __post_init__(self) -> None:
        for name in ("batch", "learning_rate", "ways", "features", "told"):
            if getattr(self, name) <= 0:
                raise InputError(f"parameter {name!r} of image generator 'features' must be above 0.")
        if self.width < 16 or self.width % 16:
            raise InputError("parameter 'width' of image generator 'features' must be a multiple of 16.")
        if self.steps < 0 or not 0 < self.share < 1:
            raise InputError("'steps' of image generator 'features' must not be below 0, and 'share' between 0 and 1.")

    def refuses(self, schema: ImageSchema) -> str | None:
        """Why it cannot learn such images: it can learn all."""
        return None

    def fit(self, train: Images, run: Run) -> DrawnModel:
        """Learn from training images; masks and attributes are not learned.

        PRIVACY: uses up what is left of `run.ledger.allowance`, charged in parts before each is looked at. At most
        `allowance.cap` images of each patient are used (all where it says None), and a patient's mean counts once. The
        size and the range of the images and the names of the classes are taken from the schema, which a person
        declared. Without an allowance: exact sums, no formal guarantee.

        Raises:
            FitError: there is nothing to learn from, or training diverged.
            BudgetExceeded: nothing is left to spend; nothing was looked at.
            MissingExtra: PyTorch is not installed.
        """
        if not len(train):
            raise FitError("there are no training images; check the folder.")
        need("neural", "image generator 'features'")
        from semblance.nets.images.matched_learning import learn

        schema = replace(train.schema, structures=())
        plan = self._plan(run)
        most = None if run.ledger.allowance is None else run.ledger.allowance.cap
        crowd = Crowd.of(train, most=most)
        onlooker = Onlooker(run.gallery, schema)
        shown = onlooker.labels()

        def see(net: MatchedNet, log: Log) -> None:
            onlooker.see(log.step, net.draw(shown, run), log.lines)

        net, log, patients = learn(crowd, schema.shape, plan=plan, run=run, see=see if run.gallery else None)
        if log is None and run.gallery is not None:
            onlooker.see(0, net.draw(shown, run), [])
        facts = {"patients": float(sum(patients)), "steps": float(log.step) if log else 0.0}
        notes = (log.note,) if log and log.note else ()
        lines = {} if log is None else {self.name: log.lines}
        mixture = Mixture.of_classes(schema, patients)
        return DrawnModel(self.name, schema, net, mixture, notes, facts, lines, guarantee_of(run.ledger))

    def _plan(self, run: Run) -> Plan:
        from semblance.nets.images.matched_learning import Plan

        share = self.share if self.steps else 0.0
        plan = Plan(
            rho=math.inf,
            share=share,
            steps=self.steps,
            batch=self.batch,
            learning_rate=self.learning_rate,
            ways=self.ways,
            features=self.features,
            width=self.width,
            told=self.told,
        )
        if run.ledger.allowance is None:
            return plan
        return replace(plan, rho=run.ledger.largest(lambda rho: replace(plan, rho=rho).event))

    @staticmethod
    def load(folder: Path, schema: ImageSchema) -> DrawnModel:
        """Read a saved model: JSON and safetensors, neither of which runs code.

        Raises:
            FormatError: the folder does not hold such a model, or a file of it is damaged.
            MissingExtra: PyTorch is not installed.
        """
        need("neural", "image generator 'features'")
        from semblance.nets.images.matched_net import MatchedNet

        return load_drawn(DrawnModel, Features.name, folder, schema, lambda: MatchedNet.load(folder))
