"""Returns that may change, and runs that may not be copied: judged note by note."""

from dataclasses import replace

import numpy as np
import pytest
from decoding import decode

from clausula.constraints.copying import MaxCopy
from clausula.constraints.domains import Domains
from clausula.constraints.place import Timeline
from clausula.constraints.text import parse_constraint
from clausula.constraints.vary import forced_changes, positions
from clausula.constraints.verify import verify_vary
from clausula.constraints.verify_copying import verify_max_copy
from clausula.corpus import load_chorales
from clausula.errors import InputError, PlanError
from clausula.grid import Meter, Voice
from clausula.pitch import Key
from clausula.vocabulary import HOLD_TOKEN

TIMELINE = Timeline(Meter(4, 4), 4, frames_per_quarter=1)  # four frames a measure
C = Key.parse("C")


def piece(first, third):
    """A soprano whose first and third measures are given."""
    tokens = np.full((TIMELINE.n_frames, 4), HOLD_TOKEN)
    tokens[[0, 4, 8, 12]] = 12
    tokens[:4, Voice.SOPRANO], tokens[8:12, Voice.SOPRANO] = first, third
    return decode(tokens, TIMELINE, C)


THEME = [14, HOLD_TOKEN, 16, 18]
COPIES = [
    ([14, HOLD_TOKEN, 16, 18], 0),
    ([14, HOLD_TOKEN, 16, 19], 1),  # another note
    ([14, 15, 16, 18], 1),  # a note where it held
    ([14, HOLD_TOKEN, HOLD_TOKEN, 18], 1),  # held on
    ([15, HOLD_TOKEN, 16, 18], 1),  # held as before, another note
    ([15, 15, HOLD_TOKEN, 19], 4),
]


@pytest.mark.parametrize(("copy", "changes"), COPIES)
def test_changes_are_counted_where_they_begin(copy, changes):
    grid = piece(THEME, copy)
    for number in range(5):
        reasons = verify_vary(grid, parse_constraint(f"vary 1 @ 3 by {number} in S"))
        assert (reasons == []) == (number == changes)
    assert verify_vary(grid, parse_constraint("vary 1 @ 3 by 0-4 in S")) == []


def test_changes_are_from_the_moved_passage():
    moved = piece(THEME, [16, HOLD_TOKEN, 18, 20])
    assert verify_vary(moved, parse_constraint("vary 1 @ 3 by 0 up M2 in S")) == []
    assert verify_vary(moved, parse_constraint("vary 1 @ 3 by 0 in S")) != []


def test_a_passage_that_the_piece_has_no_room_for_fails():
    (reason,) = verify_vary(piece(THEME, THEME), parse_constraint("vary 1-3 @ 3 by 1 in S"))
    assert "too short" in reason


def test_places_are_those_of_the_returning_voices():
    places = positions(parse_constraint("vary 1 @ 3 by 1 up M2 in S,B"), TIMELINE, C)
    assert places.layer.tolist() == [32, 33, 36, 37, 40, 41, 44, 45]
    assert places.source.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert places.mapped[0, 14] == 16


def test_forced_changes_are_places_without_a_common_note():
    vary = parse_constraint("vary 1 @ 3 by 1 in S")
    masks = np.full((TIMELINE.n_frames, 4), 0xFFFFFFFF, np.uint32)
    masks[0, 0], masks[8, 0] = 1 << 14, 1 << 15
    masks[2, 0], masks[10, 0] = 1 << 14 | 1 << 16, 1 << 16
    assert forced_changes(positions(vary, TIMELINE, C), Domains(masks)) == 1


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("vary 1 @ 3 by 5 in S", PlanError),
        ("vary 1 @ 4.2 by 1 in S", PlanError),
        ("vary 1-3 @ 3 by 1", PlanError),
        ("vary 1 @ 3 by 3-2", InputError),
        ("max-copy 2", InputError),
        ("max-copy 4 verticalities in S", InputError),
        ("soft 0 PAC@4", InputError),
        ("soft 2 soft 2 PAC@4", InputError),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(text, error):
    with pytest.raises(error, match=r"try|write|leave"):
        positions(parse_constraint(text), TIMELINE, C)


LIMITS = [
    MaxCopy(6),
    MaxCopy(6, (Voice.TENOR,)),
    MaxCopy(6, rhythm=True),
    MaxCopy(4, ()),
    MaxCopy(4, (), rhythm=True),
]


@pytest.mark.parametrize("asked", LIMITS, ids=str)
def test_a_chorale_copies_itself_moved_or_not(asked):
    chorale = load_chorales().grids[7]
    moved = replace(chorale, pitch=chorale.pitch + 3)
    for grid in (chorale, moved):
        assert len(verify_max_copy(grid, asked, [chorale])) > 20
    assert verify_max_copy(chorale, asked, []) == []


def test_another_note_or_another_length_is_no_copy():
    chorale = load_chorales().grids[7]
    begins = np.flatnonzero(chorale.onset[:, Voice.SOPRANO])[:6]
    stop = int(begins[-1]) + 1
    asked = MaxCopy(6, (Voice.SOPRANO,), rhythm=True)
    pitch = chorale.pitch[:stop].copy()
    cut = replace(
        chorale,
        pitch=pitch,
        step=chorale.step[:stop],
        onset=chorale.onset[:stop],
        phrase_end=chorale.phrase_end[:stop],
    )
    assert verify_max_copy(cut, asked, [chorale])
    changed = pitch.copy()
    changed[begins[-1] :, Voice.SOPRANO] += 1
    assert verify_max_copy(replace(cut, pitch=changed), asked, [cut]) == []
    onset = cut.onset.copy()
    onset[begins[2], Voice.SOPRANO], onset[begins[2] - 1, Voice.SOPRANO] = False, True
    pitch[begins[2] - 1, Voice.SOPRANO] = pitch[begins[2], Voice.SOPRANO]
    earlier = replace(cut, onset=onset, pitch=pitch)
    assert verify_max_copy(earlier, asked, [cut]) == []
    assert verify_max_copy(earlier, replace(asked, rhythm=False), [cut])
