"""Running the command line inside the tests."""

import sys
from typing import NamedTuple
from unittest import mock

from clausula import cli


class Outcome(NamedTuple):
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


def run(capsys, *arguments):
    """The outcome of ``clausula`` with these arguments; any other exception is the test's."""
    capsys.readouterr()
    code = 0
    with mock.patch.object(sys, "argv", ["clausula", *map(str, arguments)]):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
    return Outcome(code, *capsys.readouterr())


def assert_refused(outcome, *words):
    """A message on standard error that holds all the words, exit code 2, nothing on the output.

    It is one line, or where a conflict is named, the conflict a line each between two lines.
    """
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("clausula: ")
    first, *others = outcome.err.splitlines()
    if first.startswith("clausula: impossible, proved by"):
        assert all(line.startswith("  ") for line in others[:-1])
    else:
        assert not others
    for word in words:
        assert word in outcome.err
