from clausula.constraints.switch import Switch

NUMBERS = Switch(1, (1, 2), "how many")
TRUTH = Switch(False, (False, True), "whether")
NAMES = Switch("outer", ("outer", "all"), "which pairs")


def test_a_choice_is_one_of_those_listed_and_of_their_type():
    assert [NUMBERS.takes(choice) for choice in (1, 2, 3, True, "1")] == [True, True] + [False] * 3
    assert [TRUTH.takes(choice) for choice in (True, 1)] == [True, False]
    assert [NAMES.takes(choice) for choice in ("all", "inner")] == [True, False]


def test_choices_are_written_as_in_a_file():
    assert NUMBERS.words == ("1", "2")
    assert TRUTH.words == ("false", "true")
    assert NAMES.words == ('"outer"', '"all"')
