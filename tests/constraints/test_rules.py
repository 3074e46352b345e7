"""Every rule's examples, and the same answer from NumPy and JAX."""

from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from clausula.checker.examples import blamed, expected, passage_of_example
from clausula.checker.passage import Reading, passage_of
from clausula.constraints.example import Example
from clausula.constraints.example_score import score_of_example
from clausula.constraints.passage import Passage, Task
from clausula.constraints.registry import RULES, find_rule
from clausula.constraints.rule import Context, Rule, Sonority
from clausula.constraints.rulesets import load_ruleset
from clausula.errors import InputError
from clausula.grid import REST
from clausula.pitch import Key, Mode, SpelledPitch

CHORALE = load_ruleset("chorale")
LOCAL = {code: rule for code, rule in RULES.items() if rule.predicate is not None}
OF_PASSAGES = {code: rule for code, rule in RULES.items() if rule.judge is not None}


def sonority(chord: str) -> Sonority:
    """A chord of pitch names as a slice in which every voice starts a note."""
    pitches = [
        SpelledPitch(REST, 0) if name == "-" else SpelledPitch.parse(name) for name in chord.split()
    ]
    semitone, step = np.array(pitches).T
    return Sonority(semitone, step, semitone != REST)


def context(
    key: Key, *, before: Key | None = None, boundary=False, arrival=False, first=False, n_voices=4
) -> Context:
    before = before or key
    return Context(
        key.tonic_pc,
        key.tonic_letter,
        key.mode is Mode.MINOR,
        before.tonic_pc,
        before.tonic_letter,
        before.mode is Mode.MINOR,
        boundary,
        arrival,
        first,
        np.array(CHORALE.low)[:n_voices],
        np.array(CHORALE.high)[:n_voices],
    )


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_examples_break_and_obey(rule):
    for example in rule.breaking:
        assert blamed(rule, example, CHORALE) == expected(rule, example), example
        assert example.at, "a breaking example names what is blamed"
    for example in rule.obeying:
        assert blamed(rule, example, CHORALE) == set(), example


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_first_obeying_example_mends_the_first_breaking_one(rule):
    breaking, obeying = rule.breaking[0], rule.obeying[0]
    assert breaking.key == obeying.key
    if breaking.lines:
        assert _alike(breaking.lines, obeying.lines) >= 0.6
        assert breaking.lines != obeying.lines
        assert (breaking.species, breaking.cantus) == (obeying.species, obeying.cantus)
        return
    if breaking.written:
        pairs = zip(breaking.written, obeying.written, strict=True)
        assert breaking.chords == obeying.chords
        assert sum(one != other for one, other in pairs) == 1
        return
    pairs = zip(breaking.chords, obeying.chords, strict=True)
    assert sum(one != other for one, other in pairs) == 1


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_voices_of_an_example_end_together(rule):
    for example in (*rule.breaking, *rule.obeying):
        parts = score_of_example(example).parts
        ends = {part.notes[-1].end for part in parts if part.notes}
        assert len(ends) == 1, example


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """What part of two passages is the same, 0 to 1."""
    return SequenceMatcher(None, *(" ".join(lines).split() for lines in (one, other))).ratio()


@pytest.mark.parametrize("rule", LOCAL.values(), ids=LOCAL)
def test_silence_breaks_nothing(rule):
    rest = sonority("- - - -")
    for example in rule.breaking:
        where = context(Key.parse(example.key), arrival=True)
        for prev, cur in ((sonority(example.chords[0]), rest), (rest, rest)):
            assert not rule.violations(prev, cur, where).any()


@pytest.mark.parametrize("n_voices", [1, 2, 3, 5])
@pytest.mark.parametrize("rule", LOCAL.values(), ids=LOCAL)
def test_any_number_of_voices(rule, n_voices):
    chord = Sonority(*(np.zeros((7, n_voices), int) + 60 for _ in range(3)))
    where = context(Key.parse("C"))._replace(
        low=np.zeros(n_voices, int), high=np.full(n_voices, 127)
    )
    found = rule.violations(chord, chord, where)
    assert found.shape == (7, len(rule.sites.of(n_voices)))
    assert not found.any()


def passage_of_lines(lines: tuple[str, ...], species: int, cantus: int | None) -> Passage:
    """Lines as rules see them, whatever their number."""
    numbered = [score_of_example(Example("C", lines=(line,))).parts[0] for line in lines]
    score = replace(score_of_example(Example("C", lines=("C4:4",))), parts=tuple(numbered))
    reading = Reading(Key.parse("C"), task=Task(species=species, cantus=cantus))
    return passage_of(score, CHORALE, reading)


def every_choice(rule: Rule) -> Iterator[dict[str, object]]:
    """Every way to set a rule's switches."""
    for choices in product(*(switch.choices for switch in rule.switches.values())):
        yield dict(zip(rule.switches, choices, strict=True))


def judged(rule: Rule, example: Example) -> np.ndarray:
    """What a rule finds in a passage; its shape is that of slices and sites."""
    passage = passage_of_example(example, CHORALE)
    found = rule.found(passage)
    assert found.dtype == bool
    assert found.shape == (len(passage), len(rule.sites.of(passage.n_voices)))
    return found


@pytest.mark.parametrize("rule", OF_PASSAGES.values(), ids=OF_PASSAGES)
def test_rules_of_a_species_find_nothing_where_none_is_practised(rule):
    for example in rule.breaking:
        if example.species:
            assert not judged(rule, replace(example, species=0)).any()


@pytest.mark.parametrize("n_voices", range(1, 6))
@pytest.mark.parametrize("rule", OF_PASSAGES.values(), ids=OF_PASSAGES)
def test_rules_of_passages_judge_any_number_of_voices(rule, n_voices):
    lines = ("r:2 C5:2 B4 C5", "r:2 E4:1 F4 G4:4", "C4:4 D4", "r:8", "C3:4 G3")
    for species, cantus in product(range(6), (0, None)):
        passage = passage_of_lines(lines[-n_voices:], species, cantus)
        for choices in every_choice(rule):
            found = rule.under(choices).found(passage)
            assert found.shape == (len(passage), len(rule.sites.of(n_voices)))


@pytest.mark.parametrize("rule", OF_PASSAGES.values(), ids=OF_PASSAGES)
def test_rules_of_passages_judge_a_single_slice(rule):
    one_slice = (("C4:4",), ("C5:4", "C4:4"), ("r:4", "C4:4"))
    for species, lines in product(range(6), one_slice):
        passage = passage_of_lines(lines, species, 0)
        for choices in every_choice(rule):
            found = rule.under(choices).found(passage)
            assert found.shape == (1, len(rule.sites.of(len(lines))))


def drawn(seed: int, n: int) -> tuple[Sonority, Sonority, Context]:
    """Chord pairs in random keys in which the voices often move together."""
    rng = np.random.default_rng(seed)
    centre = np.array([72, 65, 58, 48])
    before = centre + rng.integers(-7, 8, (n, 4))
    after = before + rng.integers(-4, 5, (n, 1)) * rng.integers(0, 2, (n, 4))
    after += rng.integers(-2, 3, (n, 4)) * rng.integers(0, 2, (n, 4))
    keys = [Key.parse(name) for name in ("C", "a", "F#", "eb", "Bb", "c#")]
    index = rng.integers(0, len(keys), n)
    chords = []
    for semitone in (before, after):
        steps = np.stack([key.spell(semitone) for key in keys])[index, np.arange(n)]
        silent = rng.random((n, 4)) < 0.1
        semitone = np.where(silent, REST, semitone)
        chords.append(Sonority(semitone, np.where(silent, 0, steps), ~silent))
    flags = rng.random((3, n)) < 0.3
    before = np.where(rng.random(n) < 0.2, rng.permutation(index), index)
    where = Context(
        *(
            np.array(values)[of]
            for of in (index, before)
            for values in (
                [key.tonic_pc for key in keys],
                [key.tonic_letter for key in keys],
                [key.mode is Mode.MINOR for key in keys],
            )
        ),
        *flags,
        np.array(CHORALE.low),
        np.array(CHORALE.high),
    )
    return *chords, where


@pytest.mark.parametrize("rule", LOCAL.values(), ids=LOCAL)
def test_numpy_and_jax_agree(rule):
    known = [passage_of_example(e, CHORALE) for e in (*rule.breaking, *rule.obeying)]
    moments = [(p.prev, p.cur, p.context, p.beside) for p in known]
    # Compiled once for many drawn chords, unless these say nothing of what the rule reads.
    compiled = [] if rule.reads else [drawn(seed=5, n=20_000)]
    broken = False
    for number, moment in enumerate((*moments, *compiled)):
        expected = rule.violations(*moment)
        violations = rule.violations if number < len(moments) else jax.jit(rule.violations)
        on_device = jax.tree.map(jnp.asarray, moment)
        np.testing.assert_array_equal(violations(*on_device), expected)
        broken |= bool(expected.any())
    assert broken, "nothing breaks the rule: the comparison says nothing"


@pytest.mark.parametrize("rule", LOCAL.values(), ids=LOCAL)
def test_a_site_depends_on_its_own_voices_alone(rule):
    prev, cur, where = drawn(seed=6, n=2_000)
    other_prev, other_cur, _ = drawn(seed=7, n=2_000)
    expected = rule.violations(prev, cur, where)
    for column, site in enumerate(rule.sites.of(4)):
        own = np.isin(np.arange(4), site)
        mixed = [
            Sonority(*(np.where(own, a, b) for a, b in zip(one, other, strict=True)))
            for one, other in ((prev, other_prev), (cur, other_cur))
        ]
        found = rule.violations(*mixed, where)
        np.testing.assert_array_equal(found[:, column], expected[:, column])


def pair_motion(rule: Rule, before: str, after: str, key: str = "C") -> bool:
    """Whether two voices break a rule."""
    where = context(Key.parse(key), n_voices=2)
    return bool(rule.violations(sonority(before), sonority(after), where)[0])


@pytest.mark.parametrize(
    ("before", "after", "broken"),
    [
        ("G4 C4", "A4 D4", True),
        ("G5 C4", "A4 D3", True),  # twelfths are fifths
        ("G4 C4", "A4 D3", False),  # contrary motion
        ("B4 E4", "C5 F#4", False),  # a perfect fifth to a diminished one
        ("F#4 C4", "G4 Db4", False),
        ("G4 C4", "G#4 Db4", False),  # sounds like a fifth, is a doubly augmented fourth
        ("G4 C4", "G5 C5", True),  # leaping together by an octave is motion
        ("G4 C4", "G4 C4", False),
        ("F4 C4", "G4 D4", False),  # fourths
        ("C4 G4", "D4 A4", True),  # crossed voices are still a fifth apart
        ("G4 C4", "A4 E5", True),  # the lower voice rises above the upper
    ],
)
def test_parallel_fifths(before, after, broken):
    assert pair_motion(find_rule("M01"), before, after) is broken


@pytest.mark.parametrize(
    ("before", "after", "broken"),
    [
        ("C5 C4", "D5 D4", True),
        ("C4 C4", "D4 D4", True),
        ("C5 C3", "D5 D4", True),  # fifteenth to octave in similar motion
        ("C4 C4", "F4 F3", True),  # unison to octave, contrary
        ("C5 C4", "G4 G4", True),  # octave to unison, contrary
        ("C5 C4", "F5 F3", False),  # octave to fifteenth, contrary: another rule's
        ("C5 C4", "C5 C3", False),  # one voice moves
        ("B#4 C4", "D5 D4", False),  # a diminished second and an octave
    ],
)
def test_parallel_octaves(before, after, broken):
    assert pair_motion(find_rule("M02"), before, after) is broken


@pytest.mark.parametrize(
    ("key", "chord", "broken"),
    [
        ("C", "B4 B3", True),
        ("C", "Cb5 B3", False),
        ("C", "F#4 F#3", True),
        ("C", "Bb4 Bb3", False),
        ("a", "G#4 G#3", True),
        ("a", "G4 G3", False),
        ("a", "F#4 F#3", False),
        ("a", "C#5 C#4", True),
        ("a", "D#4 D#4", True),
        ("A", "C#5 C#4", False),
    ],
)
def test_doubled_leading_tones(key, chord, broken):
    assert pair_motion(find_rule("V10"), chord, chord, key) is broken


def test_an_unknown_code_names_near_ones():
    with pytest.raises(InputError, match="M01"):
        find_rule("M1")
    with pytest.raises(InputError, match="V10"):
        find_rule("nonsense")
    assert find_rule("m01") is RULES["M01"]


class Unread:
    """Stands for a field of the context that nobody may look at."""

    __array_ufunc__ = None

    def __and__(self, _other):
        raise AssertionError("the rule reads it")

    __rand__ = __and__


@pytest.mark.parametrize("rule", LOCAL.values(), ids=LOCAL)
def test_only_rules_of_cadences_read_the_arrival(rule):
    pitch = np.array([[72, 67, 64, 48], [71, 67, 62, 55]])
    step = np.array([[35, 32, 30, 21], [34, 32, 29, 25]])
    moved = np.ones((2, 4), bool)
    cur, prev = Sonority(pitch, step, moved), Sonority(pitch[::-1], step[::-1], moved)
    limits = np.array([60, 55, 48, 40]), np.array([79, 74, 69, 62])
    context = Context(0, 0, False, 0, 0, False, False, Unread(), False, *limits)
    if rule.of_cadence:
        with pytest.raises(AssertionError, match="reads it"):
            rule.violations(prev, cur, context)
    else:
        rule.violations(prev, cur, context)
