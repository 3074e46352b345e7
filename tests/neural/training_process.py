"""The training of ``test_train`` in a process of its own.

Arguments: ``OUT``, ``OUT slowly`` or ``OUT COORDINATOR COUNT INDEX``. Slowly means with a pause
before each update, in which the process can be killed.
"""

import sys
import time
from pathlib import Path

import jax

out, *place = sys.argv[1:]
if len(place) > 1:
    jax.distributed.initialize(place[0], int(place[1]), int(place[2]))

# Processes join before anything is computed.
from test_train import fit  # noqa: E402

from clausula.neural import train as training  # noqa: E402

if place == ["slowly"]:
    step = training.Trainer.step

    def slow_step(*arguments):
        time.sleep(0.5)
        return step(*arguments)

    training.Trainer.step = slow_step

fit(Path(out))
