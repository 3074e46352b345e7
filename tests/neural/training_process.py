"""The training of ``test_train`` in a process of its own: ``OUT [COORDINATOR PROCESS]``."""

import sys
from pathlib import Path

import jax

if len(sys.argv) > 2:
    jax.distributed.initialize(sys.argv[2], 2, int(sys.argv[3]))

from test_train import fit

fit(Path(sys.argv[1]))
