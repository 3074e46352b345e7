"""The training of ``test_train`` in a process of its own: ``OUT``."""

import sys
from pathlib import Path

from test_train import fit

fit(Path(sys.argv[1]))
