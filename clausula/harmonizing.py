"""Harmonizing: the voices that are missing to a given melody, bass, or any lines of a file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from clausula.composing import require_counts, require_sampling
from clausula.constraints.cadence import Cadence
from clausula.constraints.given import Given
from clausula.constraints.place import Timeline
from clausula.constraints.rulesets import RuleSet, load_ruleset
from clausula.constraints.text import parse_cadences, parse_constraint, parse_voice
from clausula.engine.chord_plan import chords_under
from clausula.engine.given_plan import Ending, endings_of, plan_around
from clausula.engine.plan import Constraint, Plan
from clausula.engine.tables import Compiled, compile_plan, state_counts
from clausula.errors import ImpossibleError
from clausula.finding import compared, find
from clausula.given_score import Ends, given_lines, key_of, phrase_ends, timeline_of
from clausula.grid import Voice
from clausula.piece import Piece
from clausula.pitch import Key
from clausula.reading import read_score
from clausula.score import Score
from clausula.verifying import requested


class Request(NamedTuple):
    """What a score gives and what is asked of the other voices.

    Attributes:
        lines: the given voices.
        timeline: their frames.
        key: the home key.
        key_source: how it is known.
        ends: where phrases end.
        endings: the cadences that each may have.
        constraints: whatever else is asked.
    """

    lines: Sequence[Given]
    timeline: Timeline
    key: Key
    key_source: str
    ends: Ends
    endings: Sequence[Ending]
    constraints: Sequence[Constraint]

    @property
    def plan(self) -> Plan:
        """The plan with the cadences that are tried now."""
        return plan_around(self.lines, self.timeline, self.key, self.endings, self.constraints)


def harmonize(
    source: str | Path | Score,
    *,
    voices: str | Sequence[str | Voice] | None = None,
    key: str | Key | None = None,
    mode: str | None = None,
    cadences: str | Sequence[Cadence] | None = None,
    progression: str | None = None,
    constraints: Sequence[str | Constraint] = (),
    rules: str | Path | RuleSet = "chorale",
    beam: int = 8,
    alternatives: int = 0,
    temperature: float = 1.0,
    tail: float = 0.02,
    seed: int = 0,
    title: str = "",
    proposal: str = "transformer",
    weights: str | Path | None = None,
    style: str | None = None,
) -> Piece:
    """Find the other voices to the lines of a score, which stay as they are.

    Notes keep their pitches, spelling, times, rests, fermatas, words and ids. Where all given lines
    rest, everyone does. Phrases end at fermatas and at the end; without fermatas, where long notes
    and rests tell. Each phrase closes with a cadence that its notes allow (``cadence_choice``).

    Args:
        source: a MusicXML, MIDI, kern or ABC file, or a score: one to three lines, in one meter.
        voices: which voices they are, such as ``"soprano"`` or ``"S,B"``; told by name, order and
            range if left out. Fewer than the file has keep those alone.
        key: home key; the file's own, or inferred, if left out.
        mode: overrides the mode of ``key``, or of the file's signature.
        cadences: in place of those that would be chosen there, such as ``"HC@4.3,PAC@8.3:V"``.
        progression: the chords, as in ``compose``, from the beginning on; the last one is held to
            the end. No cadences are chosen then: the chords say how phrases close.
        constraints: pins, returns, ranges and the like, as text or values; cadences too.
        rules: rule set that is kept throughout and by which the result is checked. A fault that
            lies in given lines alone is reported, not judged.
        beam: hypotheses kept at every step.
        alternatives: further pieces wanted that differ from the first and from each other.
        temperature: divides the network's log probabilities: above 1 bolder, below 1 safer.
        tail: notes less likely than this share of the likeliest one are never chosen.
        seed: of everything random; the same seed gives the same piece on one machine.
        title: what the piece is called; the file's title if left out.
        proposal: how notes are proposed, as in ``compose``.
        weights: of a proposal that ``clausula train`` wrote; the shipped one by default.
        style: tag that the proposal knows.

    Returns:
        The piece nearest in taste to real ones, verified.

    Raises:
        InputError: a file or an argument that cannot be read.
        PlanError: what is given or asked contradicts itself, or nothing can meet it.
        CorpusError: weights are missing, or do not fit.
        SearchError: the search gave up; the message says where.
    """
    began = time.perf_counter()
    require_counts(beam, 1 + alternatives, seed)
    require_sampling(temperature, tail)
    score = source if isinstance(source, Score) else read_score(source)
    ruleset = load_ruleset(rules)
    asked = requested_of(score, voices, key, mode, cadences, progression, constraints)
    request, compiled = possible(asked, ruleset)
    plan = request.plan
    # Only now is JAX needed: what cannot be met fails at once.
    from clausula.engine.beam import SearchConfig
    from clausula.searching import Session

    session = Session(
        plan,
        compiled,
        ruleset,
        SearchConfig(beam=beam, temperature=float(temperature), tail=float(tail)),
        proposal=proposal,
        weights=None if weights is None else Path(weights),
        style=style,
    )
    name = title or score.title or f"Harmonization in {plan.key}"
    found = find(session, plan, ruleset, 1 + alternatives, seed, name)
    common = _report(request, compiled, ruleset) | {
        "seed": seed,
        "beam": beam,
        "temperature": temperature,
        "tail": tail,
        "versions": session.versions,
        "dead_ends": found.dead_ends,
        "seconds": round(time.perf_counter() - began, 2),
    }
    pieces = [
        Piece(
            f.grid,
            replace(f.score, composer=score.composer),
            plan,
            common | f.report | compared(f, found.accepted, 1 + alternatives),
        )
        for f in found.accepted
    ]
    best, *others = pieces
    return Piece(best.grid, best.score, plan, best.report, tuple(others))


def requested_of(
    score: Score,
    voices: str | Sequence[str | Voice] | None = None,
    key: str | Key | None = None,
    mode: str | None = None,
    cadences: str | Sequence[Cadence] | None = None,
    progression: str | None = None,
    constraints: Sequence[str | Constraint] = (),
) -> Request:
    """What a score gives, as ``harmonize`` reads it.

    Raises:
        InputError: a score or an argument that cannot be read.
        PlanError: a note that is off the grid, or a cadence where no given note begins.
    """
    lines = given_lines(score, _voices(voices))
    timeline = timeline_of(score)
    for line in lines:
        line.domains(timeline)  # refused here, a note that cannot be sung is named at once
    sung = tuple(part for part in score.parts if any(part.notes == line.notes for line in lines))
    home, source = key_of(replace(score, parts=sung), key, mode)
    parsed = [parse_constraint(c) if isinstance(c, str) else c for c in constraints]
    wanted = parse_cadences(cadences) if isinstance(cadences, str) else tuple(cadences or ())
    wanted += tuple(c for c in parsed if isinstance(c, Cadence))
    ends = phrase_ends(lines, timeline)
    endings = endings_of(lines, timeline, home, ends.frames, wanted)
    others = [c for c in parsed if not isinstance(c, Cadence)]
    if progression is not None:
        others.insert(0, chords_under(progression, timeline))
        endings = [e if e.asked else replace(e, choices=()) for e in endings]
    return Request(lines, timeline, home, source, ends, endings, others)


def possible(request: Request, ruleset: RuleSet) -> tuple[Request, Compiled]:
    """The request with cadences that no prover refutes, and its compiled plan.

    A cadence that was chosen and that is proved impossible gives way to the next choice there. The
    last choice is none: the phrase then ends as the search likes.

    Raises:
        ImpossibleError: what was given and asked contradicts itself, whatever the cadences.
    """
    while True:
        try:
            return request, compile_plan(request.plan, ruleset)
        except ImpossibleError as error:
            blamed = [
                place
                for place, ending in enumerate(request.endings)
                if not ending.asked and str(ending.cadence) in error.conflict
            ]
            if not blamed:
                raise
            endings = list(request.endings)
            last = endings[blamed[-1]]
            endings[blamed[-1]] = replace(last, choices=last.choices[1:])
            request = request._replace(endings=endings)


def _voices(asked: str | Sequence[str | Voice] | None) -> list[Voice] | None:
    """The voices that are named.

    Raises:
        InputError: one of them is none.
    """
    if asked is None:
        return None
    names = asked.split(",") if isinstance(asked, str) else asked
    return [name if isinstance(name, Voice) else parse_voice(name.strip()) for name in names]


def _report(request: Request, compiled: Compiled, ruleset: RuleSet) -> dict[str, Any]:
    """What the report says of every piece found for a request."""
    plan = request.plan
    return {
        "key": str(plan.key),
        "key_source": request.key_source,
        "meter": str(plan.timeline.meter),
        "measures": plan.timeline.measures,
        "pickup": str(Fraction(plan.timeline.pickup, plan.timeline.frames_per_quarter)),
        "given": [
            {"voice": line.voice.name.lower(), "notes": len(line.notes)} for line in request.lines
        ],
        "phrases_end_by": request.ends.source,
        "cadences": [_closing(ending, plan) for ending in request.endings],
        "ruleset": ruleset.name,
        "requested": requested(plan, ruleset),
        "automaton": state_counts(compiled),
    }


def _closing(ending: Ending, plan: Plan) -> dict[str, Any]:
    """What the report says of the end of one phrase."""
    cadence = ending.cadence
    return {
        "at": str(plan.timeline.place(ending.arrival)),
        "cadence": None if cadence is None else cadence.kind.value,
        "key": None if cadence is None else str(cadence.key_in(plan.key)),
        "anticipated": cadence is not None and cadence.anticipated,
        "asked": ending.asked,
    }
