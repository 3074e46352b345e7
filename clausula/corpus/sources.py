"""Files to be encoded: a user's folder, or a style of music21's corpus."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from clausula.corpus.archive import AS_WRITTEN
from clausula.corpus.styles import style_of
from clausula.errors import CorpusError

# Formats, the fullest notation first: of several files of one bundled piece the first is read.
SUFFIXES = (".mxl", ".musicxml", ".xml", ".krn", ".mid", ".midi")
_WORK = re.compile(rb"^!!!OPR: *(.*?) *$", re.M)


@dataclass(frozen=True)
class Source:
    """One file to be encoded.

    Attributes:
        path: the file.
        name: of its pieces.
        style: their tag.
        origin: where the file comes from, as recorded with its pieces.
        work: what must lie on one side of a split.
        factor: by which note values are multiplied.
    """

    path: Path
    name: str
    style: str
    origin: str
    work: str
    factor: Fraction = Fraction(1)

    @property
    def unit(self) -> str:
        """How note values are changed, in words."""
        if self.factor == 1:
            return AS_WRITTEN
        halved = self.factor == Fraction(1, 2)
        return "note values halved" if halved else f"note values times {self.factor}"


def folder_sources(folder: str | Path, style: str) -> tuple[list[Source], dict[str, str]]:
    """Every score below a folder, and why other files are left alone.

    Hidden files and folders are passed over.

    Args:
        folder: of the user's.
        style: the tag of its pieces.

    Raises:
        CorpusError: no folder, or no scores in it, or no tag.
    """
    folder = Path(folder)
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", style):
        raise CorpusError(
            f"--style {style!r} is no tag; try small letters and digits, such as mine"
        )
    if folder.is_file():
        raise CorpusError(f"{folder} is a file; name the folder that it is in")
    if not folder.is_dir():
        raise CorpusError(f"{folder}: there is no such folder; check its name")
    files = [path for path in sorted(folder.rglob("*")) if _counts(path, folder)]
    scores = [path for path in files if path.suffix.lower() in SUFFIXES]
    known = ", ".join(SUFFIXES)
    if not scores:
        raise CorpusError(f"{folder} holds no scores ({known}); try another folder")
    shared = Counter(_name(path.with_suffix(""), folder) for path in scores)
    sources = []
    for path in scores:
        full, short = _name(path, folder), _name(path.with_suffix(""), folder)
        name = short if shared[short] == 1 else full
        sources.append(Source(path, name, style, full, name))
    others = [path for path in files if path.suffix.lower() not in SUFFIXES]
    return sources, {_name(path, folder): f"its name ends in none of {known}" for path in others}


def _counts(path: Path, folder: Path) -> bool:
    """Whether a path is a file, even a lost one, that is not hidden nor written by a build."""
    inside = path.relative_to(folder).parts
    if any(part.startswith(".") or part.endswith(".npz.parts") for part in inside):
        return False
    return not path.is_dir() and not path.name.endswith((".npz", ".report.json"))


def _name(path: Path, folder: Path) -> str:
    """A file's place in its folder, in characters that can be written anywhere."""
    return path.relative_to(folder).as_posix().encode("utf-8", "replace").decode()


def bundled_sources(tag: str) -> list[Source]:
    """The files of a style in the corpus of the installed music21, one a piece.

    Raises:
        CorpusError: the style is unknown, or music21 was installed without its corpus.
    """
    style = style_of(tag)
    spec = importlib.util.find_spec("music21")
    roots = list(spec.submodule_search_locations or ()) if spec else []
    folder = Path(roots[0], "corpus", style.folder) if roots else Path(style.folder)
    files: dict[Path, Path] = {}
    for suffix in SUFFIXES:
        for path in sorted(folder.rglob(f"*{suffix}")):
            files.setdefault(path.with_suffix(""), path)
    if not files:
        raise CorpusError(
            f"music21 is installed without the files of {tag!r}; try installing it again: "
            "pip install --force-reinstall music21"
        )
    version = importlib.metadata.version("music21")
    sources = []
    for stem, path in sorted(files.items()):
        name = f"{tag}/{stem.relative_to(folder).as_posix()}"
        origin = f"music21 {version}, corpus/{style.folder}/{path.relative_to(folder).as_posix()}"
        sources.append(Source(path, name, tag, origin, _work(path) or name, style.factor))
    return sources


def _work(path: Path) -> str:
    """The larger work that a kern file names, such as a mass."""
    found = _WORK.search(path.read_bytes()) if path.suffix == ".krn" else None
    return found[1].decode("latin-1") if found else ""
