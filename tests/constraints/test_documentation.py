"""Every constraint has an example that runs, and can be written as text."""

import doctest
import sys
from typing import get_args

import pytest

from clausula.constraints.counting import Climax
from clausula.constraints.text import Constraint, parse_constraint
from clausula.grid import Voice

NAMES = {"Climax": Climax, "Voice": Voice}  # of constraints that stand in others


@pytest.mark.parametrize("constraint", get_args(Constraint), ids=lambda kind: kind.__name__)
def test_the_example_of_a_constraint_runs_and_reads_back(constraint):
    module = sys.modules[constraint.__module__]
    (example,) = doctest.DocTestFinder(recurse=False).find(
        constraint, constraint.__name__, module=module, globs=NAMES | vars(module)
    )
    assert example.examples
    result = doctest.DocTestRunner().run(example)
    assert (result.failed, result.attempted > 0) == (0, True)
    text = eval(example.examples[0].want)
    assert str(parse_constraint(text)) == text
