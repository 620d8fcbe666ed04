"""The verbs, in the order in which they are used. The command line is one more caller of them.

source ─describe→ Schema ─read→ Dataset ─split→ Vault ─fit→ Model ─sample→ Dataset′
       ─audit→ Evidence ─decide→ Verdict ─release→ folder

reading   begin, describe, explain_column, source_risk, read, split, roles, load_schema
making    fit, sample, sample_to, forge_of
judging   audit, and judge for tables made elsewhere
releasing decide, release
training  train: fit on every row and keep the model
whole     run: all of it in one go
sweeping  sweep: one knob of a recipe turned, and what that costs and buys
scanning  read_images, describe_images: the same for a folder of scans
picturing fit_images, sample_images, translate_images, paint_masks, write_images
"""

from __future__ import annotations

from semblance.pipeline.judging import audit as audit
from semblance.pipeline.judging import judge as judge
from semblance.pipeline.making import fit as fit
from semblance.pipeline.making import forge_of as forge_of
from semblance.pipeline.making import sample as sample
from semblance.pipeline.making import sample_to as sample_to
from semblance.pipeline.picturing import fit_images as fit_images
from semblance.pipeline.picturing import paint_masks as paint_masks
from semblance.pipeline.picturing import sample_images as sample_images
from semblance.pipeline.picturing import translate_images as translate_images
from semblance.pipeline.picturing import write_images as write_images
from semblance.pipeline.reading import begin as begin
from semblance.pipeline.reading import describe as describe
from semblance.pipeline.reading import explain_column as explain_column
from semblance.pipeline.reading import load_schema as load_schema
from semblance.pipeline.reading import read as read
from semblance.pipeline.reading import roles as roles
from semblance.pipeline.reading import source_risk as source_risk
from semblance.pipeline.reading import split as split
from semblance.pipeline.releasing import decide as decide
from semblance.pipeline.releasing import release as release
from semblance.pipeline.scanning import describe_images as describe_images
from semblance.pipeline.scanning import read_images as read_images
from semblance.pipeline.sweeping import Sweep as Sweep
from semblance.pipeline.sweeping import sweep as sweep
from semblance.pipeline.training import train as train
from semblance.pipeline.whole import Outcome as Outcome
from semblance.pipeline.whole import run as run
from semblance.recipe import recipe as recipe
