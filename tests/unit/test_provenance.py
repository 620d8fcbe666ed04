"""What the evidence says of how a table was made."""

from __future__ import annotations

from importlib.metadata import version

from semblance import provenance
from semblance.generators.chain import Chain
from semblance.generators.gan import GAN
from semblance.generators.vae import VAE


def test_a_recipe_that_needs_more_says_which_versions_made_the_table() -> None:
    assert "libraries" not in provenance.of_recipe(Chain())
    for recipe in (GAN(), VAE(beta=2.0)):
        told = provenance.of_recipe(recipe)
        assert told["libraries"] == {name: version(name) for name in ("torch", "safetensors", "opacus")}
    assert told["parameters"]["beta"] == 2.0


def test_what_was_measured_while_learning_is_told_where_there_is_any() -> None:
    class Silent:
        pass

    class Measured:
        facts = {"rate_nats": 1.5}  # noqa: RUF012  as a model would have it

    assert provenance.of_model(Silent()) == {}  # type: ignore[arg-type]
    assert provenance.of_model(Measured()) == {"rate_nats": 1.5}  # type: ignore[arg-type]
