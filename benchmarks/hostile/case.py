"""What a case is, and how its files are written.

A voice is written as ``"C5:2 r:1 D5:1 | E5:4"``: pitch or ``r`` and length in quarters, a bar a
measure. The notes that should be read are written the same way.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clausula.score import Part, Score

DIVISIONS = 24
SATB = (
    "C5:2 B4:2 | C5:4",
    "G4:2 G4:2 | G4:4",
    "E4:2 D4:2 | E4:4",
    "C3:2 G2:2 | C3:4",
)


@dataclass(frozen=True)
class Case:
    """One file and what should come of it.

    Attributes:
        name: what is odd about it.
        make: its bytes.
        notes: what each part holds, or None where it should be refused.
        says: words of the refusal.
        file: the file's name.
        options: of ``clausula check``, ``{folder}`` being the file's.
        beside: further files, by name.
        links: further links, by name.
        place: makes something at a path that is no file of bytes.
        slow: whether it takes more than ten seconds.
    """

    name: str
    make: Callable[[], bytes | str]
    notes: tuple[str, ...] | None = None
    says: str = ""
    file: str = "piece.musicxml"
    options: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    place: Callable[[Path], object] | None = None
    slow: bool = False

    def write(self, folder: Path) -> Path:
        """Write the file, and those beside it, into an empty folder; where the file is."""
        path = folder / self.file
        for name, text in self.beside:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        for name, target in self.links:
            (folder / name).symlink_to(target)
        if self.place is None:
            path.write_bytes(self.content())
        else:
            self.place(path)
        return path

    def content(self) -> bytes:
        """The file's bytes."""
        made = self.make()
        return made if isinstance(made, bytes) else made.encode()


def heard(score: Score) -> tuple[str, ...]:
    """What every part of a score holds, in the words of this page, without bar lines."""
    return tuple(line_of(part) for part in score.parts)


def line_of(part: Part) -> str:
    """What a part holds, rests only between its notes."""
    words, now = [], Fraction(0)
    for note in part.notes:
        if note.onset > now:
            words.append(f"r:{note.onset - now}")
        words.append(f"{note.pitch.name}:{note.duration}")
        now = note.end
    return " ".join(words)


def plain(text: str) -> str:
    """A voice as it should be read: no bar lines, rests joined, none at the end."""
    words: list[tuple[str, Fraction]] = []
    for word in text.replace("|", " ").split():
        pitch, length = word.split(":")
        if words and pitch == "r" == words[-1][0]:
            words[-1] = ("r", words[-1][1] + Fraction(length))
        else:
            words.append((pitch, Fraction(length)))
    while words and words[-1][0] == "r":
        words.pop()
    return " ".join(f"{pitch}:{length}" for pitch, length in words)


def note(
    name: str,
    length: str | Fraction | int = 4,
    voice: object = 1,
    staff: int | None = None,
    inner: str = "",
    chord: bool = False,
) -> str:
    """MusicXML of a note such as ``F#4`` or ``r``; ``voice`` None writes no voice."""
    duration = Fraction(length) * DIVISIONS
    if name == "r":
        pitch = "<rest/>"
    else:
        alter = name.count("#") - name.count("b")
        pitch = f"<pitch><step>{name[0]}</step><alter>{alter}</alter>"
        pitch += f"<octave>{name.lstrip('ABCDEFG#b')}</octave></pitch>"
    voiced = "" if voice is None else f"<voice>{voice}</voice>"
    staffed = f"<staff>{staff}</staff>" if staff else ""
    return (
        f"<note>{'<chord/>' if chord else ''}{pitch}<duration>{duration}</duration>"
        f"{voiced}{inner if inner.startswith('<stem') else ''}{staffed}"
        f"{'' if inner.startswith('<stem') else inner}</note>"
    )


def move(tag: str, length: str | Fraction | int, inner: str = "") -> str:
    """A ``backup`` or ``forward``."""
    return f"<{tag}><duration>{Fraction(length) * DIVISIONS}</duration>{inner}</{tag}>"


def voices(
    *lines: str,
    numbers: Sequence[object] = (1, 2, 5, 6),
    staves: Sequence[int | None] = (1, 1, 2, 2),
    stems: Sequence[str] = ("", "", "", ""),
) -> list[str]:
    """Measures of one part with several voices; ``f:2`` skips forward, ``x:2`` writes nothing."""
    measures = [line.split("|") for line in lines]
    written = []
    for row in zip(*measures, strict=True):
        text, back = "", Fraction(0)
        for line, number, staff, stem in zip(row, numbers, staves, stems, strict=False):
            text += move("backup", back) if back else ""
            back = Fraction(0)
            for word in line.split():
                pitch, length = word.split(":")
                if pitch == "x":
                    continue
                back += Fraction(length)
                if pitch == "f":
                    where = f"<voice>{number}</voice>" + (
                        f"<staff>{staff}</staff>" if staff else ""
                    )
                    text += move("forward", length, where)
                else:
                    inner = f"<stem>{stem}</stem>" if stem and pitch != "r" else ""
                    text += note(pitch, length, number, staff, inner)
        written.append(text)
    return written


def single(line: str, **more: object) -> list[str]:
    """Measures of one voice alone."""
    return voices(line, numbers=(more.get("voice", 1),), staves=(None,))


def score(
    *parts: Sequence[str],
    names: Sequence[str] | None = None,
    attributes: str = "<key><fifths>0</fifths><mode>major</mode></key>"
    "<time><beats>4</beats><beat-type>4</beat-type></time>",
    more: Sequence[str] = (),
    staves: int = 0,
    numbers: Sequence[object] | None = None,
    head: str = '<?xml version="1.0"?>',
) -> str:
    """A MusicXML score of parts given as contents of measures.

    Args:
        parts: for each a list of measures.
        names: of the parts; Soprano to Bass for four, else none.
        attributes: key and time of every part.
        more: further attributes, part by part, such as a clef.
        staves: of the first part, if it has several.
        numbers: of the measures, from 1 if left out.
        head: what precedes the root.
    """
    usual = ("Soprano", "Alto", "Tenor", "Bass") if len(parts) == 4 else ("",) * len(parts)
    names = usual if names is None else names
    listed = "".join(
        f'<score-part id="P{i}"><part-name>{name}</part-name></score-part>'
        for i, name in enumerate(names)
    )
    body = ""
    for i, measures in enumerate(parts):
        counted = numbers or range(1, len(measures) + 1)
        body += f'<part id="P{i}">'
        for j, (number, content) in enumerate(zip(counted, measures, strict=True)):
            first = "" if j else f"<attributes><divisions>{DIVISIONS}</divisions>{attributes}"
            if not j:
                first += f"<staves>{staves}</staves>" if staves and i == 0 else ""
                first += f"{more[i] if i < len(more) else ''}</attributes>"
            body += f'<measure number="{number}">{first}{content}</measure>'
        body += "</part>"
    root = f'<score-partwise version="4.0"><part-list>{listed}</part-list>'
    return f"{head}{root}{body}</score-partwise>"


def four(*lines: str, **more: object) -> str:
    """A score of a part for each line."""
    return score(*(single(line) for line in lines or SATB), **more)  # type: ignore[arg-type]


def zipped(*entries: tuple[str, bytes | str]) -> bytes:
    """A compressed MusicXML file of these entries."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in entries:
            archive.writestr(name, text)
    return packed.getvalue()


def container(path: str) -> tuple[str, str]:
    """The entry that names an archive's score."""
    return (
        "META-INF/container.xml",
        f'<container><rootfiles><rootfile full-path="{path}"/></rootfiles></container>',
    )
