"""Score files for the tests of building corpora."""

from clausula.pitch import LETTERS, SpelledPitch


def _note(pitch: str, quarters: int, chord: bool = False) -> str:
    """A MusicXML note of whole quarters; ``r`` rests."""
    if pitch == "r":
        return f"<note><rest/><duration>{quarters}</duration></note>"
    spelled = SpelledPitch.parse(pitch)
    return (
        f"<note>{'<chord/>' if chord else ''}<pitch><step>{LETTERS[spelled.step % 7]}</step>"
        f"<alter>{spelled.alter}</alter><octave>{spelled.octave}</octave></pitch>"
        f"<duration>{quarters}</duration></note>"
    )


def musicxml(*parts: str, meter: str = "4/4", rights: str = "") -> bytes:
    """A score of parts in words.

    Args:
        parts: measures between bars; a note is ``C4:2`` (quarters), a chord ``C4+E4:2``.
        meter: of every measure.
        rights: the file's statement.
    """
    beats, unit = meter.split("/")
    head = (
        "<attributes><divisions>1</divisions><key><fifths>0</fifths></key>"
        f"<time><beats>{beats}</beats><beat-type>{unit}</beat-type></time></attributes>"
    )
    listed, written = "", ""
    for i, part in enumerate(parts):
        measures = ""
        for number, measure in enumerate(part.split("|")):
            notes = ""
            for word in measure.split():
                pitches, quarters = word.split(":")
                for j, pitch in enumerate(pitches.split("+")):
                    notes += _note(pitch, int(quarters), chord=j > 0)
            start = head if number == 0 else ""
            measures += f'<measure number="{number + 1}">{start}{notes}</measure>'
        listed += f'<score-part id="P{i}"><part-name>Part {i + 1}</part-name></score-part>'
        written += f'<part id="P{i}">{measures}</part>'
    stated = f"<identification><rights>{rights}</rights></identification>" if rights else ""
    return (
        f'<score-partwise version="4.0">{stated}<part-list>{listed}</part-list>{written}'
        "</score-partwise>"
    ).encode()


def four(measures: int, **more: str) -> bytes:
    """A score in four parts of so many measures of 4/4."""
    lines = ("C5:2 {}5:2", "G4:4", "E4:4", "C3:4")
    parts = ["|".join(line.format("DEFGA"[i % 5]) for i in range(measures)) for line in lines]
    return musicxml(*parts, **more)
