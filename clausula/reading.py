"""Reading files: MusicXML (plain or zipped), MIDI, kern and ABC.

The format is told by the content, not by the file's name. MusicXML is parsed once: music21 gets
the tree, and the ids of its notes, which music21 drops, are read from the same tree.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import mido
from mido.midifiles.meta import KeySignatureError
from music21 import converter, stream
from music21.exceptions21 import Music21Exception
from music21.musicxml.xmlToM21 import MusicXMLWarning

from clausula.errors import InputError
from clausula.label_reading import labels_of_kern, labels_of_musicxml
from clausula.limits import (
    LARGEST_TEXT,
    LARGEST_XML,
    MOST_TAGS,
    echoed,
    refuse_large,
    refuse_long,
    refuse_many,
)
from clausula.linear_import import LinearImporter
from clausula.midi_reading import score_of_midi
from clausula.pitch import LETTER_SEMITONES, LETTERS, SpelledPitch
from clausula.score import Score
from clausula.staves import NoteIds, score_of
from clausula.text_formats import first_tune, refuse_odd_abc, refuse_odd_kern
from clausula.xml_mending import mend

_ENTITY = re.compile(b"\0?".join([b"<", *(bytes([letter]) for letter in b"!ENTITY")]))
_REASON = 200  # letters of a parser's own words
_UNREAD_KERN = re.compile(r"Error in parsing event \('(.*?)'\) at line (\d+)")
_NAMES = {"midi": "MIDI", "kern": "kern", "abc": "ABC"}
_UNREAD_ABC = re.compile(r"Could not get pitch information from note: (.*), assuming")
_FORMATS = "MusicXML (.musicxml, .xml, .mxl), MIDI (.mid), kern (.krn) or ABC (.abc)"
# What the parsers raise on a file that is damaged.
_DAMAGED = (
    ElementTree.ParseError,
    zipfile.BadZipFile,
    Music21Exception,
    KeySignatureError,
    OSError,
    EOFError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)


def read_score(path: str | Path) -> Score:
    """Read a file as a `Score`.

    Two staves with two voices each, or with chords of two notes, become the four parts Soprano,
    Alto, Tenor and Bass. While one of two voices on a staff has neither note nor printed rest, it
    sings the other's note. Up to four staves are put in order: by name where all are named after
    voices, else where one always lies above its predecessor. Grace notes are dropped, tied notes
    merged. A file with a key signature but no mode is taken as major and says so by ``key_given``;
    MIDI is quantised to a twenty-fourth of a quarter and spelled in its key. `clausula.limits` says
    how large a file may be.

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
            if kind != "musicxml":
                refuse_large(data, LARGEST_TEXT, _NAMES[kind])
            score = _READERS[kind](data)
            refuse_long(score)
            return score
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _content(path: Path) -> bytes:
    try:
        # A pipe may never end and a device may have no end.
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError(f"{path}: this is a pipe or a device; try saving it as a file first")
        with path.open("rb") as file:
            data = file.read(LARGEST_XML + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: there is no such file; check the name and the folder") from None
    except IsADirectoryError:
        raise InputError(f"{path}: this is a folder; name one file in it") from None
    except OSError as error:
        raise InputError(
            f"{path}: it cannot be read ({error.strerror}); check its name and rights"
        ) from error
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
        return "kern"
    # Every tune in ABC has a key; other fields alone may be a letter's or a list's.
    fields = {line[:2] for line in lines}
    if "K:" in fields and fields & {"X:", "T:", "M:", "L:"}:
        return "abc"
    return None


@contextmanager
def _parsing(kind: str) -> Iterator[None]:
    """Turns what parsers raise on damaged files into one clear error."""
    try:
        yield
    except _DAMAGED as error:
        reason = echoed(str(error), _REASON) or type(error).__name__
        if isinstance(error, ZeroDivisionError):
            reason = "a note or a measure without any length"
        raise InputError(
            f"its {kind} is damaged or unusual ({reason}); try exporting it again, as MusicXML"
        ) from error


def _read_midi(data: bytes) -> Score:
    with _parsing("MIDI"):
        file = mido.MidiFile(file=io.BytesIO(data))
    return score_of_midi(file)


def _read_kern(data: bytes) -> Score:
    """A `Score` of a kern file, all of whose notes could be read."""
    refuse_odd_kern(data.decode("utf-8", "replace"))
    # music21 leaves out what it cannot read and only prints that it did.
    with redirect_stderr(io.StringIO()) as said:
        parsed = _parsed(data, "humdrum", "kern")
    unread = _UNREAD_KERN.search(said.getvalue())
    if unread:
        raise InputError(f"line {unread[2]}: {echoed(unread[1])!r} is no kern note; try mending it")
    with _parsing("kern"):
        labels = labels_of_kern(data.decode("utf-8", "replace"))
    return score_of(parsed, labels=labels)


def _read_abc(data: bytes) -> Score:
    """A `Score` of an ABC file."""
    tune = first_tune(data.decode("utf-8", "replace"))
    refuse_odd_abc(tune)
    data = tune.encode()
    fields = {line[:2] for line in data.splitlines()}
    if not fields & {b"M:", b"L:"}:
        # Without a meter notes are eighths by the standard (2.1, section 3.1.7); music21 gives up.
        data = re.sub(rb"(?m)^K:", b"L:1/8\nK:", data, count=1)
    # music21 takes what it cannot read for a C and only prints that it did.
    with redirect_stderr(io.StringIO()) as said:
        parsed = _parsed(data, "abc", "ABC")
    guessed = _UNREAD_ABC.search(said.getvalue())
    if guessed:
        raise InputError(f"{echoed(guessed[1])!r} is no ABC note; try mending it")
    return score_of(parsed)


def _parsed(data: bytes, kind: str, name: str) -> stream.Stream:
    """What music21 reads in a text format; of several pieces in it the first."""
    with _parsing(name):
        parsed = converter.parseData(data.decode("utf-8", "replace"), format=kind)
        return parsed.scores[0] if isinstance(parsed, stream.Opus) else parsed


def _read_musicxml(data: bytes) -> Score:
    with _parsing("MusicXML"):
        root = ElementTree.fromstring(_safe(unzipped(data) if data.startswith(b"PK") else data))
    if root.tag == "score-timewise":
        raise InputError("the score is written timewise; try exporting it partwise")
    if root.tag != "score-partwise":
        raise InputError(f"the file is XML but no score (its root is <{root.tag}>); try {_FORMATS}")
    listed = {part.get("id") for part in root.iterfind("part-list/score-part")}
    for part in root.findall("part"):
        if part.get("id") not in listed:
            raise InputError(
                f"part {part.get('id')} is missing from its part list; try exporting it again"
            )
    importer = LinearImporter()
    with _parsing("MusicXML"):
        mend(root)
        importer.xmlRootToScore(root, importer.stream)
        ids = _note_ids(root)
        labels = labels_of_musicxml(root)
    return score_of(importer.stream, ids, labels)


def _safe(data: bytes) -> bytes:
    """The text of a MusicXML file, if parsing it takes bounded time and memory.

    Raises:
        InputError: it is too large, or declares entities, which may grow without bound.
    """
    refuse_large(data, LARGEST_XML, "MusicXML")
    refuse_many(data.count(b"<"), MOST_TAGS, "tags")
    # In UTF-16 every other byte of the word is null.
    if _ENTITY.search(data):
        raise InputError("it declares XML entities, which no score needs; try exporting it again")
    return data.lstrip(b" \t\r\n")


_READERS: dict[str, Callable[[bytes], Score]] = {
    "musicxml": _read_musicxml,
    "midi": _read_midi,
    "kern": _read_kern,
    "abc": _read_abc,
}


def unzipped(data: bytes) -> bytes:
    """The score inside a zipped MusicXML file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        scores = [
            entry
            for entry in archive.infolist()
            if entry.filename.lower().endswith((".xml", ".musicxml"))
            and not entry.filename.startswith("META-INF/")
        ]
        if not scores:
            raise InputError("the archive holds no score; try exporting it as .musicxml")
        named = _named_score(archive)
        scores.sort(key=lambda entry: entry.filename != named)
        return _unpacked(archive, scores[0])


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo | str) -> bytes:
    """An entry of an archive, of which no more is unpacked than may be read, whatever it says."""
    with archive.open(entry) as file:
        data = file.read(LARGEST_XML + 1)
    refuse_large(data, LARGEST_XML, "MusicXML")
    return data


def _named_score(archive: zipfile.ZipFile) -> str:
    """The score that the archive's container names; empty if it names none."""
    if "META-INF/container.xml" not in archive.namelist():
        return ""
    container = ElementTree.fromstring(_safe(_unpacked(archive, "META-INF/container.xml")))
    rootfile = container.find(".//{*}rootfile")
    return "" if rootfile is None else rootfile.get("full-path", "")


def _note_ids(root: ElementTree.Element) -> NoteIds:
    """The ``id`` attributes of notes, by part, staff, measure, offset in the measure and pitch."""
    ids: NoteIds = {}
    for part_index, part in enumerate(root.findall("part")):
        several = any(int(staves.text or 1) > 1 for staves in part.iter("staves"))
        divisions = Fraction(1)
        for index, measure in enumerate(part.findall("measure")):
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
                    now = onset + duration
                    staff = int(element.findtext("staff", "1")) if several else 1
                    _enter(ids, element, (part_index, staff, index, onset))
    return ids


def _enter(ids: NoteIds, note: ElementTree.Element, place: tuple[int, int, int, Fraction]) -> None:
    pitch, name = note.find("pitch"), note.get("id")
    if name and pitch is not None:
        ids.setdefault((*place, _xml_pitch(pitch)), []).append(name)


def _xml_pitch(pitch: ElementTree.Element) -> SpelledPitch:
    letter = LETTERS.index(pitch.findtext("step", "C"))
    octave = int(pitch.findtext("octave", "4"))
    alter = round(float(pitch.findtext("alter", "0")))
    return SpelledPitch(
        12 * (octave + 1) + int(LETTER_SEMITONES[letter]) + alter, 7 * octave + letter
    )
