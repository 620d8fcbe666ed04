"""Everything that needs PyTorch, and nothing else. Imported when a neural recipe is fitted or loaded, not before."""

import os

PROCESSORS = 2
"""Of whatever computes with nets of images, however many there are and however many the run was allowed."""

# OpenMP's threads sleep while they wait for each other; awake they keep processors busy that other work wants. It is
# asked once, when its library is loaded, and so has to be told before PyTorch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
