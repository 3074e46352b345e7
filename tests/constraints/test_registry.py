from pathlib import Path

import pytest

from clausula import constraints
from clausula.constraints.registry import RULES, by_code, find_rule
from clausula.errors import InputError


def test_every_file_of_rules_is_read_and_none_is_empty():
    files = {path.stem for path in Path(constraints.__file__).parent.glob("rules_*.py")}
    assert len(files) > 20
    for file in files:
        module = getattr(constraints, file)
        assert module.RULES
        assert all(RULES[rule.code] is rule for rule in module.RULES)


def test_rules_stand_in_the_order_of_their_codes():
    assert list(RULES) == sorted(RULES)


def test_a_code_that_two_rules_have_is_refused():
    with pytest.raises(
        ValueError, match="two rules are called M01: Parallel fifths, Parallel fifths"
    ):
        by_code((RULES["M01"], RULES["M02"], RULES["M01"]))


def test_a_code_is_found_however_it_is_written():
    assert find_rule(" m01 ") is RULES["M01"]
    with pytest.raises(InputError, match=r"no rule 'MO1'; try .*M01"):
        find_rule("MO1")
