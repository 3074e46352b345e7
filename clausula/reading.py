"""Reading files: MusicXML (plain or zipped), MIDI, kern and ABC.

The format is told by the content, not by the file's name. MusicXML is parsed once: music21 gets
the tree, and the ids of its notes, which music21 drops, are read from the same tree.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

from music21 import converter, stream
from music21.exceptions21 import Music21Exception
from music21.musicxml.xmlToM21 import MusicXMLImporter, MusicXMLWarning

from clausula.errors import InputError
from clausula.midi_reading import score_of_midi
from clausula.pitch import LETTER_SEMITONES, LETTERS, SpelledPitch
from clausula.score import Score
from clausula.staves import NoteIds, score_of

_LARGEST = 64_000_000  # bytes a zipped score may unpack to
_FORMATS = "MusicXML (.musicxml, .xml, .mxl), MIDI (.mid), kern (.krn) or ABC (.abc)"
# What music21 raises on a file that is damaged rather than unsupported.
_DAMAGED = (
    Music21Exception,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    TypeError,
)


def read_score(path: str | Path) -> Score:
    """Read a file as a `Score`.

    Two staves with two voices each, or with chords of two notes, become the four parts Soprano,
    Alto, Tenor and Bass. Grace notes are dropped, tied notes merged. A file with a key signature
    but no mode is taken as major and says so by ``key_given``; MIDI is quantised to a twenty-fourth
    of a quarter and spelled in its key.

    Args:
        path: a MusicXML, MIDI, kern or ABC file.

    Raises:
        InputError: no such file, nothing in it, not music, no notes, or chords on a staff that
            cannot be read as lines.
    """
    path = Path(path)
    data = _content(path)
    kind = _kind(data)
    if kind is None:
        raise InputError(f"{path}: this is not a score; try {_FORMATS}")
    try:
        with warnings.catch_warnings():
            # Overfull measures are kept as they are written, so the warning asks for nothing.
            warnings.simplefilter("ignore", MusicXMLWarning)
            if kind == "musicxml":
                score = _read_musicxml(data)
            elif kind == "midi":
                score = score_of_midi(data)
            else:
                score = score_of(_parse(data.decode("utf-8", "replace"), kind))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (ElementTree.ParseError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: the file is damaged ({error}); try exporting it again"
        ) from error
    except _DAMAGED as error:
        raise InputError(
            f"{path}: this {kind} file cannot be understood ({error}); try exporting it as MusicXML"
        ) from error
    return score


def _content(path: Path) -> bytes:
    if not path.exists():
        raise InputError(f"{path}: there is no such file; check the name and the folder")
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; name one file in it")
    data = path.read_bytes()
    if not data.strip():
        raise InputError(f"{path}: the file is empty; try exporting it again")
    return data


def _kind(data: bytes) -> str | None:
    """The format that the first bytes show; None when they show no score."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"MThd"):
        return "midi"
    if head.startswith((b"PK\x03\x04", b"<", b"\xff\xfe<", b"\xfe\xff\x00<")):
        return "musicxml"
    lines = head.decode("latin-1").splitlines()
    if any(line.startswith(("**kern", "!!!")) for line in lines):
        return "humdrum"
    if any(line.startswith(("X:", "T:", "K:")) for line in lines):
        return "abc"
    return None


def _parse(text: str, kind: str) -> stream.Stream:
    """What music21 reads; of several pieces the first."""
    parsed = converter.parseData(text, format=kind)
    if isinstance(parsed, stream.Opus):
        parsed = parsed.scores[0]
    return parsed


def _read_musicxml(data: bytes) -> Score:
    root = ElementTree.fromstring(unzipped(data) if data.startswith(b"PK") else data)
    if root.tag == "score-timewise":
        raise InputError("the score is written timewise; try exporting it partwise")
    if root.tag != "score-partwise":
        raise InputError(f"the file is XML but no score (its root is <{root.tag}>); try {_FORMATS}")
    importer = MusicXMLImporter()
    importer.xmlRootToScore(root, importer.stream)
    return score_of(importer.stream, _note_ids(root))


def unzipped(data: bytes) -> bytes:
    """The score inside a zipped MusicXML file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        scores = [
            entry
            for entry in archive.infolist()
            if not entry.filename.startswith("META-INF/") and not entry.is_dir()
        ]
        scores.sort(key=lambda entry: not entry.filename.endswith((".xml", ".musicxml")))
        if not scores:
            raise InputError("the archive holds no score; try exporting it as .musicxml")
        if scores[0].file_size > _LARGEST:
            raise InputError(
                f"the score unpacks to {scores[0].file_size} bytes, which is too large"
            )
        return archive.read(scores[0])


def _note_ids(root: ElementTree.Element) -> NoteIds:
    """The ``id`` attributes of notes, by staff, measure, offset in the measure and pitch."""
    ids: NoteIds = {}
    first_staff = 0
    for part in root.findall("part"):
        staves = sorted({int(staff.text or 1) for staff in part.iter("staff")}) or [1]
        divisions = Fraction(1)
        for index, measure in enumerate(part.findall("measure")):
            divisions = _measure_ids(ids, measure, index, first_staff, staves, divisions)
        first_staff += len(staves)
    return ids


def _measure_ids(
    ids: NoteIds,
    measure: ElementTree.Element,
    index: int,
    first_staff: int,
    staves: list[int],
    divisions: Fraction,
) -> Fraction:
    """Enter the ids of one measure; the divisions of a quarter in force after it."""
    now = onset = Fraction(0)
    for element in measure:
        divisions = Fraction(element.findtext("divisions", str(divisions)))
        duration = Fraction(element.findtext("duration", "0")) / divisions
        if element.tag == "backup":
            now -= duration
        elif element.tag == "forward":
            now += duration
        elif element.tag == "note" and element.find("grace") is None:
            onset = onset if element.find("chord") is not None else now
            now = max(now, onset + duration)
            pitch = element.find("pitch")
            name = element.get("id")
            if name and pitch is not None:
                staff = first_staff + staves.index(int(element.findtext("staff", str(staves[0]))))
                ids.setdefault((staff, index, onset, _xml_pitch(pitch)), []).append(name)
    return divisions


def _xml_pitch(pitch: ElementTree.Element) -> SpelledPitch:
    letter = LETTERS.index(pitch.findtext("step", "C"))
    octave = int(pitch.findtext("octave", "4"))
    alter = round(float(pitch.findtext("alter", "0")))
    return SpelledPitch(
        12 * (octave + 1) + int(LETTER_SEMITONES[letter]) + alter, 7 * octave + letter
    )
