"""Rules of any line in species counterpoint: length, range, climax and shape."""

from __future__ import annotations

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Line, Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites
from clausula.constraints.species import (
    OPEN,
    SURVEY,
    cantus_of,
    is_lone,
    is_species,
    is_tonic,
    moves_of,
    written,
)
from clausula.constraints.switch import Switch

_SHORTEST = 8
_LEAST_MOVES = 4  # of a line in which steps can be said to prevail
_WIDEST = 9  # steps of a tenth


def _out_of_bounds(passage: Passage, most: int) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if is_species(passage) and is_lone(passage):
        for voice, line in written(passage):
            first, last = int(line.start[0]), int(line.start[-1])
            found[first, voice] = not is_tonic(passage, first, voice)
            found[last, voice] |= not is_tonic(passage, last, voice)
            found[last, voice] |= not _SHORTEST <= len(line) <= most
    return found


def _too_wide(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if is_species(passage):
        for voice, line in written(passage):
            reach = np.maximum.accumulate(line.step) - np.minimum.accumulate(line.step)
            wide = np.flatnonzero(reach > _WIDEST)
            if len(wide):
                found[line.start[wide[0]], voice] = True
    return found


def _climaxes(line: Line) -> np.ndarray:
    """``[k]`` notes at the line's highest pitch; a note repeated at once counts once."""
    high = np.flatnonzero(line.semitone == line.semitone.max())
    again = np.append(False, np.diff(high) == 1)
    return high[~again]


def _climax(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if not is_species(passage):
        return found
    cantus = cantus_of(passage)
    given = passage.lines[cantus]
    for voice, line in written(passage):
        high = _climaxes(line)
        found[line.start[high[1:]], voice] = True
        if voice != cantus and len(high) == 1:
            other = _climaxes(given)
            own = (line.start[high[0]], line.stop[high[0]])
            meets = (given.start[other] < own[1]) & (given.stop[other] > own[0])
            found[own[0], voice] |= bool(meets.any())
    return found


def _dissonant_climax(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if is_species(passage):
        for voice, line in written(passage):
            high = _climaxes(line)[0]
            time = line.start[high]
            above = (line.semitone[high] - passage.context.tonic_pc[time]) % 12
            found[time, voice] = above in (1, 2, 6, 10, 11)
    return found


def _returns(line: Line, note: int, size: int, times: int) -> bool:
    """Whether a figure of ``size`` notes, with its rhythm, sounds ``times`` times up to ``note``.

    At the same pitches or on other degrees; three notes on another degree must sound three times,
    and a scale is no repetition.
    """
    whole = slice(note + 1 - size * times, note + 1)
    if whole.start < 0:
        return False
    figures = line.step[whole].reshape(times, size)
    rhythms = line.duration[whole].reshape(times, size)[:, :-1]
    moves, links = np.diff(figures), np.diff(figures[:, 0])
    alike = (moves == moves[0]).all() and (links == links[0]).all() and moves.any()
    scale = (np.diff(line.step[whole]) == 1).all() or (np.diff(line.step[whole]) == -1).all()
    long_enough = size * times >= 8 or times == 3 or not links.any()
    return bool(alike and (rhythms == rhythms[0]).all() and not scale and long_enough)


def _motive(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if is_species(passage):
        for voice, line in written(passage):
            last = -1  # where the figure that was named last ended
            for note in range(len(line)):
                free = note - last
                figures = [(2, 3), (3, 3), *((size, 2) for size in range(3, free // 2 + 1))]
                if any(
                    size * times <= free and _returns(line, note, size, times)
                    for size, times in figures
                ):
                    found[line.start[note], voice] = True
                    last = note
    return found


def _steps_rare(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if is_species(passage):
        for voice, line in written(passage):
            moves = moves_of(line)
            steps, all_moves = moves.steps.sum(), (moves.semitone != 0).sum()
            rare = all_moves >= _LEAST_MOVES and 2 * steps <= all_moves
            found[line.start[-1], voice] = rare
    return found


G01 = Rule(
    code="G01",
    name="Length or frame of a cantus firmus",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_out_of_bounds,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="A cantus firmus has at least eight notes, and not many more, from the tonic to the "
    "tonic; the {voice} has not, at {after}",
    says="A cantus firmus has eight to sixteen notes, the first and the last of them the tonic.",
    why="Less leaves no room for a climax and a way back, more is not heard as one line; and "
    "without the tonic at both ends no one hears where it is at home.",
    exceptions="A counterpoint to a given cantus is as long as the cantus, and its ends are judged "
    "by other rules.",
    source=f"{OPEN}; {SURVEY}",
    breaking=(
        Example("d dorian", lines=("D4:4 F4 E4 D4 G4 F4 A4 G4 F4",), species=1, at="B"),
        Example("C", lines=("E4:4 F4 E4 A4 G4 F4 E4 D4 C4",), species=1, at="B", where="1.1"),
        Example("C", lines=("C4:4 D4 F4 E4 D4 C4",), species=1, at="B"),
    ),
    obeying=(
        Example("d dorian", lines=("D4:4 F4 E4 D4 G4 F4 A4 F4 E4 D4",), species=1),
        Example("C", lines=("C4:4 E4 F4 G4 E4 A4 G4 E4 F4 E4 D4 C4",), species=1),
    ),
    switches={
        "most": Switch(16, (14, 16), "The most notes that a cantus firmus may have."),
    },
)

G05 = Rule(
    code="G05",
    name="Range wider than a tenth",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_too_wide,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="With {after} the {voice} covers more than a tenth",
    says="From its lowest to its highest note a line covers at most a tenth.",
    why="A line stays within what one voice sings at ease.",
    source=f"{OPEN}; {SURVEY}",
    breaking=(
        Example(
            "g mixolydian",
            lines=("G3:4 C4 B3 G3 G4 F4 D5 C5 G4 E4 C4 D4 B3 A3 G3",),
            species=1,
            at="B",
            where="7.1",
        ),
        Example("C", lines=("C5:4 B4 A4 F4 E4 D4 C4 G3 A3 B3 C4",), species=1, at="B", where="8.1"),
    ),
    obeying=(
        Example(
            "g mixolydian",
            lines=("G3:4 C4 B3 G3 G4 F4 A4 G4 F4 E4 C4 D4 B3 A3 G3",),
            species=1,
        ),
        Example("C", lines=("C4:4 D4 C5 B4 E5 D5 C5 A4 B4 C5",), species=1),
    ),
)

G06 = Rule(
    code="G06",
    name="Climax repeated or shared",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_climax,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="{after} in the {voice} is its climax a second time, or together with the climax of "
    "the cantus",
    says="A line reaches its highest note once, and not where the cantus firmus has its own "
    "highest note.",
    why="One goal gives a line its shape; two climaxes at once make one moment too strong, and the "
    "lines lose their independence.",
    exceptions="A highest note that is repeated at once counts once.",
    source=OPEN,
    breaking=(
        Example(
            "d dorian", lines=("D4:4 A4 G4 F4 A4 G4 F4 E4 D4",), species=1, at="B", where="5.1"
        ),
        Example(
            "C",
            lines=("G4:4 A4 B4 C5 B4 C5", "C4:4 F4 D4 E4 D4 C4"),
            species=1,
            cantus="B",
            at="S",
        ),
        Example(
            "C",
            lines=("C5:4 D5 E5 B4 C5", "C4:4 B3 E4 D4 C4"),
            species=1,
            cantus="B",
            at="S",
            where="3.1",
        ),
    ),
    obeying=(
        Example("d dorian", lines=("D4:4 F4 G4 F4 A4 G4 F4 E4 D4",), species=1),
        Example("C", lines=("C5:4 D5 E5 B4 C5", "C4:4 F4 C4 D4 C4"), species=1, cantus="B"),
    ),
)

G10 = Rule(
    code="G10",
    name="Motive or sequence",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_motive,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="With {after} the {voice} has sung one figure again",
    says="A figure of three or more notes is not sung again at once, nor one of four or more on "
    "another degree, nor one of two or three notes three times running.",
    why="A line of species counterpoint is one whole; motives and sequences cut it into pieces.",
    exceptions="A scale is no sequence.",
    source=OPEN,
    breaking=(
        Example("C", lines=("C4:4 E4 D4 C4 D4 F4 E4 D4 C4",), species=1, at="B", where="8.1"),
        Example("C", lines=("C5:4 A4 B4 G4 A4 F4 E4 D4 C4",), species=1, at="B", where="6.1"),
        Example(
            "C",
            lines=("E5:1 D5 C5 E5 D5 C5 B4 D5 C5:4", "C4:4 G4 A4"),
            species=3,
            cantus="B",
            at="S",
            where="2.2",
        ),
    ),
    obeying=(
        Example("C", lines=("C4:4 E4 D4 C4 G4 F4 E4 D4 C4",), species=1),
        Example("e phrygian", lines=("E4:4 C4 D4 C4 A3 A4 G4 E4 F4 E4",), species=1),
        Example("F", lines=("F3:4 G3 A3 F3 D3 E3 F3 C4 A3 F3 G3 F3",), species=1),
        Example("C", lines=("C4:4 D4 E4 F4 G4 A4 G4 E4 D4 C4",), species=1),
    ),
)

G11 = Rule(
    code="G11",
    name="Steps do not prevail",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_steps_rare,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} leaps as often as it steps, or more often",
    says="More than half of a line's moves are steps.",
    why="Steps hold a line together; a leap tells only among steps.",
    source=f"{OPEN}; {SURVEY}",
    breaking=(
        Example("C", lines=("C4:4 E4 C4 F4 D4 G4 E4 D4 C4",), species=1, at="B"),
        Example("d dorian", lines=("D4:4 A4 G4 E4 F4 D4 C4 E4 D4",), species=1, at="B"),
    ),
    obeying=(
        Example("C", lines=("C4:4 E4 D4 F4 D4 E4 E4 D4 C4",), species=1),
        Example("d dorian", lines=("D4:4 F4 E4 D4 G4 F4 A4 G4 F4 E4 D4",), species=1),
    ),
)

G14 = Rule(
    code="G14",
    name="Climax dissonant with the tonic",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_dissonant_climax,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} has its climax on {after}, which is dissonant with the tonic",
    says="The highest note of a line is consonant with the tonic.",
    why="The climax is remembered until the end, and heard against the tonic there.",
    exceptions="A perfect fourth above the tonic is consonant in a line.",
    source=SURVEY,
    breaking=(
        Example("C", lines=("C4:4 E4 F4 E4 B4 A4 G4 F4 E4 D4 C4",), species=1, at="B", where="5.1"),
        Example(
            "a aeolian",
            lines=("A3:4 C4 B3 E4 D4 G4 F4 E4 C4 B3 A3",),
            species=1,
            at="B",
            where="6.1",
        ),
    ),
    obeying=(
        Example("C", lines=("C4:4 E4 F4 E4 A4 G4 E4 F4 E4 D4 C4",), species=1),
        Example("e phrygian", lines=("E4:4 C4 D4 C4 A3 A4 G4 E4 F4 E4",), species=1),
    ),
)

RULES = (G01, G05, G06, G10, G11, G14)
