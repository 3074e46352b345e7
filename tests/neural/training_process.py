"""The training of ``test_train`` in a process of its own: ``OUT [COORDINATOR COUNT INDEX]``."""

import sys
from pathlib import Path

import jax

out, *place = sys.argv[1:]
if place:
    jax.distributed.initialize(place[0], int(place[1]), int(place[2]))

from test_train import fit  # noqa: E402  (processes join before anything is computed)

fit(Path(out))
