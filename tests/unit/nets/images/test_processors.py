"""The same seed gives the same bytes, however many processors the run was allowed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LEARN = """
import hashlib
import numpy as np
from semblance import catalog, nets, pipeline
from semblance.data.images import Images
from semblance.image_schema import ImageSchema
import pandas as pd

rng = np.random.default_rng(0)
pixels = rng.uniform(0, 255, (600, 1, 28, 28)).astype(np.float32)
about = pd.DataFrame({"label": np.where(np.arange(600) % 2, "a", "b")}, dtype=object)
images = Images(pixels, about, ImageSchema(28, 28, label="label", classes=("a", "b")))
few = {"batch": 8, "kimg": 0.016, "width": 16, "precision": "float32"}

def digest(name):
    recipe = catalog.IMAGE_GENERATORS[name](**few, **({"latent": 48, "adaptive": False} if name == "gan" else {}))
    run = pipeline.begin(seed=3)
    model = recipe.fit(images, run)
    found = hashlib.sha256(model.sample(8, run).pixels.tobytes())
    for value in getattr(model.net, "forger" if name == "gan" else "net").state_dict().values():
        found.update(value.numpy().tobytes())
    found.update(repr(model.facts).encode())
    return found.hexdigest()

import semblance.generators.images.gan as gan
gan.REFUSE_BELOW = 0.0
print(*map(digest, ("gan", "flow")))
nets.PROCESSORS = 1
print(*map(digest, ("gan", "flow")))
"""


@pytest.mark.slow
def test_bytes_do_not_follow_the_processors_that_are_allowed() -> None:
    found = []
    for allowed in ("1", "2"):
        environment = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), allowed)}
        environment.pop("OMP_WAIT_POLICY", None)
        done = subprocess.run(
            [sys.executable, "-c", LEARN], env=environment, check=True, capture_output=True, text=True
        )
        found.append([line.split() for line in done.stdout.splitlines()])
    one, two = found
    assert one == two
    assert all(a != b for a, b in zip(*one, strict=True)), "another number of threads would have been seen"


def test_waiting_threads_sleep_unless_the_user_says_otherwise() -> None:
    code = "import os, semblance.nets; print(os.environ['OMP_WAIT_POLICY'], semblance.nets.PROCESSORS)"
    for told, said in (({}, "PASSIVE 2"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE 2")):
        plain = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
        done = subprocess.run(
            [sys.executable, "-c", code], env={**plain, **told}, check=True, capture_output=True, text=True
        )
        assert done.stdout.strip() == said
