"""What the checker says: findings as values, and their words.

Conventions: a message template (``Rule.message``) may name, for a rule of voices, ``{voice}``,
``{before}``, ``{after}``, ``{pitch}`` (the same as after), ``{low}`` and ``{high}``; for a rule of
pairs ``{upper}``, ``{lower}``, ``{upper_before}``, ``{upper_after}``, ``{lower_before}``,
``{lower_after}``, and ``{pitch_class}`` and ``{goal}``: the upper voice's note without its octave,
and the note a half step above it. All rules may name ``{chord}``, ``{chord_before}``, ``{key}`` and
``{asked}``, what numerals or figures ask for. Remarks on labels have words of their own.
``report.schema.json`` beside this file is the schema of ``Report.to_json``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from clausula.checker.grouping import UNGROUPED, Place
from clausula.chords import tone_names
from clausula.constraints.asked import figured
from clausula.constraints.cadence import CadenceKind
from clausula.constraints.passage import NO_CHORD, Passage
from clausula.constraints.registry import RULES
from clausula.constraints.rule import Rule, Scope, Severity, Sites
from clausula.constraints.rulesets import RuleSet
from clausula.errors import InputError
from clausula.grid import VOICE_LETTERS
from clausula.pitch import Key, SpelledPitch
from clausula.score import Score
from clausula.slices import Slices

_CHOIR = ("soprano", "alto", "tenor", "bass")


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        code: the rule's.
        severity: by the rule set.
        measure: number of the measure, 0 for the pick-up.
        beat: from 1, in the meter's unit.
        voices: S, A, T, B in four parts, else the parts' names; the upper one first.
        note_ids: the notes at fault, in order of time.
        message: in words.
        why: the musical reason.
        source: where the rule was read.
        group: number of the slip that explains it, from 1 in order of time (see
            ``clausula.checker.grouping``); none for labels and licences.
        root: whether it is the fault of its group that explains the others.
        licence: of a licence, which faults it excuses, in words; else empty.
    """

    code: str
    severity: Severity
    measure: int
    beat: Fraction
    voices: tuple[str, ...]
    note_ids: tuple[str, ...]
    message: str
    why: str
    source: str
    group: int | None = None
    root: bool = False
    licence: str = ""


class KeyFrom(NamedTuple):
    """Where a local key begins."""

    measure: int
    beat: Fraction
    key: Key


class ChordFrom(NamedTuple):
    """Where a chord begins: its Roman numeral with figures, and in which key."""

    measure: int
    beat: Fraction
    numeral: str
    key: Key


class CadenceAt(NamedTuple):
    """Where the last chord of a cadence begins."""

    measure: int
    beat: Fraction
    kind: CadenceKind
    key: Key


@dataclass(frozen=True)
class Report:
    """What the checker found in one piece.

    Attributes:
        file: path or title of the piece.
        key: the home key.
        key_source: ``"given"`` or ``"inferred"``.
        confidence: of an inferred key, 0 to 1; 1 when it was given.
        keys: wherever the local key changes, from the start.
        ruleset: name of the rule set.
        findings: in order of time.
        chords: in order of time.
        cadences: in order of time.
        score: what was judged, for those who draw it.
    """

    file: str
    key: Key
    key_source: str
    confidence: float
    keys: tuple[KeyFrom, ...]
    ruleset: str
    findings: tuple[Finding, ...]
    chords: tuple[ChordFrom, ...] = ()
    cadences: tuple[CadenceAt, ...] = ()
    score: Score | None = field(default=None, repr=False, compare=False)

    @property
    def counts(self) -> dict[str, int]:
        """How many faults of each severity, gravest first; labels and licences are none."""
        found = Counter(finding.severity for finding in self.findings)
        levels = [level for level in sorted(Severity, reverse=True) if level >= Severity.STYLE]
        return {level.word: found[level] for level in levels}

    @property
    def slips(self) -> int:
        """How many slips explain the faults."""
        return len({finding.group for finding in self.findings} - {None})

    @property
    def tree(self) -> tuple[tuple[Finding, tuple[Finding, ...]], ...]:
        """Roots, labels and licences in order of time, each with its consequences."""
        groups: dict[int | None, list[Finding]] = defaultdict(list)
        for each in self.findings:
            groups[each.group].append(each)
        heads = {
            number: next((each for each in group if each.root), group[0])
            for number, group in groups.items()
        }
        return tuple(
            (each, tuple(other for other in groups[each.group] if other is not each))
            if each.group is not None
            else (each, ())
            for each in self.findings
            if each.group is None or each is heads[each.group]
        )

    def reaches(self, level: str | Severity) -> bool:
        """Whether some finding weighs as much as ``level`` ("error", "warning", "style") or more.

        Raises:
            InputError: no such level.
        """
        if not isinstance(level, Severity):
            words = [each.word for each in Severity if each >= Severity.STYLE]
            if level not in words:
                raise InputError(f"severity {level!r} is unknown; try {', '.join(words)}")
            level = Severity[level.upper()]
        return any(finding.severity >= level for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The report as plain values that ``json.dumps`` takes, by ``report.schema.json``."""
        return {
            "file": self.file,
            "key": str(self.key),
            "key_source": self.key_source,
            "key_confidence": round(self.confidence, 3),
            "keys": [_placed(each, key=str(each.key)) for each in self.keys],
            "chords": [
                _placed(each, numeral=each.numeral, key=str(each.key)) for each in self.chords
            ],
            "cadences": [
                _placed(each, kind=each.kind.value, key=str(each.key)) for each in self.cadences
            ],
            "ruleset": self.ruleset,
            "counts": self.counts,
            "slips": self.slips,
            "findings": [_plain_finding(each) for each in self.findings],
        }

    def to_text(self) -> str:
        """The report in words: a line for each finding, its consequences indented below it."""
        key = f"{self.key} ({self.key_source}"
        key += f", confidence {self.confidence:.2f})" if self.key_source == "inferred" else ")"
        lines = [f"{self.file}: {key}, rule set {self.ruleset}"]
        if len(self.keys) > 1:
            keys = [f"{each.key} from {place_in_words(each)}" for each in self.keys]
            lines.append(f"Local keys: {', '.join(keys)}")
        width = max((len(place_in_words(each)) for each in self.findings), default=0)
        for root, consequences in self.tree:
            lines.append(_line(root, width))
            lines += [f"  {_line(each, width)}" for each in consequences]
        lines.append(self.summary)
        return "\n".join(lines)

    @property
    def summary(self) -> str:
        """The counts in words."""
        found = [_plural(number, word) for word, number in self.counts.items() if number]
        fewer = self.slips < sum(self.counts.values())
        slips = f" in {_plural(self.slips, 'slip')}" if fewer else ""
        return ", ".join(found) + slips if found else "No faults found."


def _line(each: Finding, width: int) -> str:
    """A finding in a line of text; ``width`` letters for its place."""
    place = place_in_words(each).ljust(width)
    licence = f". {each.licence}" if each.licence else ""
    return f"{place}  {each.severity.word:7}  {each.code}  {each.message}{licence}"


def _placed(each: KeyFrom | ChordFrom | CadenceAt, **values: str) -> dict[str, Any]:
    return {"measure": each.measure, "beat": _number(each.beat), **values}


def _plain_finding(each: Finding) -> dict[str, Any]:
    return {
        "code": each.code,
        "severity": each.severity.word,
        "measure": each.measure,
        "beat": _number(each.beat),
        "voices": list(each.voices),
        "note_ids": list(each.note_ids),
        "message": each.message,
        "why": each.why,
        "source": each.source,
        "group": each.group,
        "root": each.root,
        "licence": each.licence or None,
    }


def finding(
    rule: Rule,
    ruleset: RuleSet,
    passage: Passage,
    time: int,
    site: tuple[int, ...],
    place: Place = UNGROUPED,
    excused: Collection[str] = (),
) -> Finding:
    """The finding that a rule is broken at a site, judged at slice ``time``.

    Args:
        rule: which.
        ruleset: gives the severity.
        passage: where.
        time: slice at which it was judged.
        site: the voices.
        place: the group of a fault, and whether it is its root.
        excused: codes of the faults that a licence excuses, empty for no licence.
    """
    slices = passage.slices
    measure, beat = slices.place[time - 1 if rule.blames_before else time]
    letters = VOICE_LETTERS if slices.n_voices == len(_CHOIR) else voice_names(slices)
    return Finding(
        code=rule.code,
        severity=ruleset.severity(rule.code),
        measure=measure,
        beat=beat,
        voices=tuple(letters[voice] for voice in site),
        note_ids=_note_ids(rule, slices, time, site),
        message=_message(rule, ruleset, passage, time, site),
        why=rule.why,
        source=rule.source,
        group=place.group,
        root=place.root,
        licence=_licence(excused),
    )


def _licence(excused: Collection[str]) -> str:
    names = [f"{code} ({RULES[code].name})" for code in sorted(excused)]
    return f"No fault by {' or '.join(names)}" if names else ""


def voice_names(slices: Slices) -> tuple[str, ...]:
    """What messages call the voices: soprano to bass in four parts, else the parts' names."""
    if slices.n_voices == len(_CHOIR):
        return _CHOIR
    parts = slices.score.parts
    return tuple(part.name or f"part {number}" for number, part in enumerate(parts, start=1))


def _note_ids(rule: Rule, slices: Slices, time: int, site: tuple[int, ...]) -> tuple[str, ...]:
    times = (time,) if rule.scope is Scope.SLICE else (time - 1, time)
    notes = [slices.note_at(each, voice) for each in times for voice in site]
    return tuple(dict.fromkeys(note.id for note in notes if note))


_ROLES = {Sites.VOICE: ("voice",), Sites.PAIR: ("upper", "lower"), Sites.ALL: ()}
_PREFIXES = {Sites.VOICE: ("",), Sites.PAIR: ("upper_", "lower_"), Sites.ALL: ()}


def _message(
    rule: Rule, ruleset: RuleSet, passage: Passage, time: int, site: tuple[int, ...]
) -> str:
    for remark in passage.remarks:
        if (remark.time, remark.code) == (time, rule.code):
            return remark.words
    slices = passage.slices
    fields = _fields_of_chord(passage, time)
    roles, prefixes = _ROLES[rule.sites], _PREFIXES[rule.sites]
    for role, prefix, voice in zip(roles, prefixes, site, strict=False):
        fields[role] = voice_names(slices)[voice]
        fields[f"{prefix}before"] = _pitch(slices, time - 1, voice) if time else ""
        fields[f"{prefix}after"] = _pitch(slices, time, voice)
    if slices.note_at(time, site[0]) is None:
        pitch = SpelledPitch.parse("C4")  # only faults of several notes name a silent voice
    else:
        pitch = SpelledPitch(int(slices.semitone[time, site[0]]), int(slices.step[time, site[0]]))
    fields["pitch"] = pitch.name
    fields["pitch_class"] = pitch.name.rstrip("0123456789-")
    fields["goal"] = SpelledPitch(pitch.semitone + 1, pitch.step + 1).name.rstrip("0123456789-")
    if rule.sites is Sites.VOICE and slices.n_voices == len(_CHOIR):
        fields["low"] = _plain(ruleset.low[site[0]])
        fields["high"] = _plain(ruleset.high[site[0]])
    message = rule.message.format(**fields)
    # A numeral stays as it is, for vi is another chord than VI; "the chord" begins a sentence.
    if rule.message.startswith("{chord") and not message.startswith("the chord"):
        return message
    return message[0].upper() + message[1:]


def _fields_of_chord(passage: Passage, time: int) -> dict[str, str]:
    """Names of the chord of a slice, of the one before, and of the key."""
    names = {}
    for name, at in (("chord", time), ("chord_before", max(time - 1, 0))):
        index = passage.chord_of_slice[at]
        names[name] = "the chord" if index == NO_CHORD else passage.chords[index].name
    index = passage.chord_of_slice[time]
    names["asked"] = _asked(passage, time)
    names["key"] = "the key" if index == NO_CHORD else str(passage.chords[index].key)
    return names


def _asked(passage: Passage, time: int) -> str:
    """The chord that figures or numerals ask for, in words."""
    for asked in figured(passage):
        if asked.start <= time < asked.stop:
            tones = sorted(asked.ways[0][-1], key=lambda each: (each - asked.bass_letter) % 7)
            return f"the chord of the figures {asked.text} ({tone_names(tones)})"
    return "the chord that is asked for"


def _pitch(slices: Slices, time: int, voice: int) -> str:
    note = slices.note_at(time, voice)
    return note.pitch.name if note else "silence"


def _plain(semitone: int) -> str:
    """The name of a MIDI number as C major spells it."""
    return SpelledPitch(semitone, int(Key.parse("C").spell(semitone))).name


def _number(beat: Fraction) -> int | float:
    return int(beat) if beat.denominator == 1 else round(float(beat), 4)


def place_in_words(each: Finding | KeyFrom | ChordFrom | CadenceAt) -> str:
    """Measure and beat: ``m. 3, beat 1.5``."""
    return f"m. {each.measure}, beat {beat_in_words(each)}"


def beat_in_words(each: Finding | KeyFrom | ChordFrom | CadenceAt) -> str:
    """The beat alone: ``1.5``."""
    return f"{_number(each.beat):g}"


def _plural(number: int, word: str) -> str:
    if word == "style":
        return f"{number} style remark{'' if number == 1 else 's'}"
    return f"{number} {word}{'' if number == 1 else 's'}"
