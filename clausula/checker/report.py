"""What the checker says: findings as values, and their words.

Conventions: a message template (``Rule.message``) may name, for a rule of voices, ``{voice}``,
``{before}``, ``{after}``, ``{pitch}`` (the same as after), ``{low}`` and ``{high}``; for a rule of
pairs ``{upper}``, ``{lower}``, ``{upper_before}``, ``{upper_after}``, ``{lower_before}``,
``{lower_after}``, and ``{pitch_class}`` and ``{goal}``: the upper voice's note without its octave,
and the note a half step above it. All rules may name ``{chord}``, ``{chord_before}``, ``{key}`` and
``{asked}``, what numerals or figures ask for. Remarks on labels have words of their own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from clausula.chords import tone_names
from clausula.constraints.asked import figured
from clausula.constraints.passage import NO_CHORD, Passage
from clausula.constraints.rule import Rule, Scope, Severity, Sites
from clausula.constraints.rulesets import RuleSet
from clausula.errors import InputError
from clausula.grid import VOICE_LETTERS
from clausula.pitch import Key, SpelledPitch
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


@dataclass(frozen=True)
class Report:
    """What the checker found in one piece.

    Attributes:
        file: path or title of the piece.
        key: the home key.
        key_source: ``"given"`` or ``"inferred"``.
        confidence: of an inferred key, 0 to 1; 1 when it was given.
        local_keys: measure, beat and key wherever the local key changes, from the start.
        ruleset: name of the rule set.
        findings: in order of time.
    """

    file: str
    key: Key
    key_source: str
    confidence: float
    local_keys: tuple[tuple[int, Fraction, Key], ...]
    ruleset: str
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many faults of each severity, gravest first; labels and licences are none."""
        found = Counter(finding.severity for finding in self.findings)
        levels = [level for level in sorted(Severity, reverse=True) if level >= Severity.STYLE]
        return {level.word: found[level] for level in levels}

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
        """The report as plain values that ``json.dumps`` takes."""
        return {
            "file": self.file,
            "key": str(self.key),
            "key_source": self.key_source,
            "key_confidence": round(self.confidence, 3),
            "local_keys": [
                {"measure": measure, "beat": _number(beat), "key": str(key)}
                for measure, beat, key in self.local_keys
            ],
            "ruleset": self.ruleset,
            "counts": self.counts,
            "findings": [
                {
                    "code": finding.code,
                    "severity": finding.severity.word,
                    "measure": finding.measure,
                    "beat": _number(finding.beat),
                    "voices": list(finding.voices),
                    "note_ids": list(finding.note_ids),
                    "message": finding.message,
                    "why": finding.why,
                    "source": finding.source,
                }
                for finding in self.findings
            ],
        }

    def to_text(self) -> str:
        """The report in words: the piece, a line for each finding, the counts."""
        key = f"{self.key} ({self.key_source}"
        key += f", confidence {self.confidence:.2f})" if self.key_source == "inferred" else ")"
        lines = [f"{self.file}: {key}, rule set {self.ruleset}"]
        if len(self.local_keys) > 1:
            keys = [f"{key} from {_place(m, b)}" for m, b, key in self.local_keys]
            lines.append(f"Local keys: {', '.join(keys)}")
        width = max((len(_place(f.measure, f.beat)) for f in self.findings), default=0)
        for finding in self.findings:
            place = _place(finding.measure, finding.beat).ljust(width)
            lines.append(f"{place}  {finding.severity.word:7}  {finding.code}  {finding.message}")
        found = [_plural(number, word) for word, number in self.counts.items() if number]
        lines.append(", ".join(found) if found else "No faults found.")
        return "\n".join(lines)


def finding(
    rule: Rule, ruleset: RuleSet, passage: Passage, time: int, site: tuple[int, ...]
) -> Finding:
    """The finding that a rule is broken at a site, judged at slice ``time``."""
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
    )


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


def _place(measure: int, beat: Fraction) -> str:
    return f"m. {measure}, beat {_number(beat):g}"


def _plural(number: int, word: str) -> str:
    if word == "style":
        return f"{number} style remark{'' if number == 1 else 's'}"
    return f"{number} {word}{'' if number == 1 else 's'}"
