import hashlib
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from example_scores import chorale, minor, score
from PIL import Image

from clausula import engraving
from clausula.engraving import to_svg, write_png, write_svg
from clausula.writing import write_midi, write_musicxml

SVG = "{http://www.w3.org/2000/svg}"
WRITERS = {".musicxml": write_musicxml, ".mid": write_midi, ".svg": write_svg, ".png": write_png}


def _words(root) -> list[str]:
    return [t.text.strip() for t in root.iter(f"{SVG}tspan") if t.text and t.text.strip()]


@pytest.mark.parametrize("layout", ["open", "choir"])
def test_every_note_keeps_its_id(layout):
    piece = chorale()
    root = ET.fromstring(to_svg(piece, layout)[0])
    drawn = {g.get("id") for g in root.iter(f"{SVG}g") if g.get("class", "").startswith("note")}
    assert {note.id for part in piece.parts for note in part.notes} <= drawn


def test_a_note_drawn_as_tied_ones_numbers_them():
    root = ET.fromstring(to_svg(score("4/4", "C", "C5:3 D5:9 E5:4"))[0])
    drawn = [g.get("id") for g in root.iter(f"{SVG}g") if g.get("class") == "note"]
    assert drawn == ["S0", "S1", "S1-2", "S1-3", "S2"]


def test_title_composer_and_part_names_are_drawn():
    words = _words(ET.fromstring(to_svg(chorale())[0]))
    for word in ("Grüße & <Lob>", "J. S. Bach", "Soprano", "Alto", "Tenor", "Bass"):
        assert words.count(word) == 1


def test_every_system_after_the_first_names_its_parts():
    root = ET.fromstring(to_svg(score("4/4", "C", "C5:1 " * 64, "C4:1 " * 64))[0])
    systems = sum(g.get("class") == "system" for g in root.iter(f"{SVG}g"))
    assert systems > 2
    words = _words(root)
    assert words.count("S.") == words.count("A.") == systems - 1


def test_pages_are_joined_one_below_the_other(monkeypatch, tmp_path):
    piece = score("4/4", "C", "C5:1 " * 120)
    whole = to_svg(piece)
    assert len(whole) == 1
    monkeypatch.setitem(engraving._OPTIONS, "pageHeight", 700)
    pages = to_svg(piece)
    assert len(pages) > 1
    write_svg(piece, tmp_path / "a.svg")
    root = ET.parse(tmp_path / "a.svg").getroot()
    assert [int(page.get("y")) for page in root] == sorted({int(p.get("y")) for p in root})
    assert len(root) == len(pages)
    write_png(piece, tmp_path / "a.png", width=500)
    ink = np.asarray(Image.open(tmp_path / "a.png").convert("L")) < 128
    for band in np.array_split(ink, len(pages)):
        assert band.any()


@pytest.mark.parametrize("width", [800, 1600])
def test_a_png_is_black_on_white_with_its_words(width, tmp_path):
    write_png(minor(), tmp_path / "a.png", width=width)
    image = Image.open(BytesIO((tmp_path / "a.png").read_bytes())).convert("RGBA")
    assert image.width == width
    pixels = np.asarray(image)
    assert (pixels[..., 3] == 255).all()
    assert (pixels[0, 0] == 255).all()
    # The title stands alone in the middle of the top; the names alone left of the bracket.
    title = pixels[: width // 20, width * 3 // 8 : width * 5 // 8, 0]
    names = pixels[:, : width // 12, 0]
    assert (title < 128).any()
    assert (names < 128).any()


def test_equal_scores_give_equal_bytes_in_every_process(tmp_path):
    def digests(folder: Path) -> dict[str, str]:
        return {
            suffix: hashlib.sha256((folder / f"a{suffix}").read_bytes()).hexdigest()
            for suffix in WRITERS
        }

    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    for suffix, write in WRITERS.items():
        write(minor(), here / "warm")
        write(chorale(), here / f"a{suffix}")
    code = (
        "import sys; from pathlib import Path; import test_engraving as t\n"
        "for suffix, write in t.WRITERS.items():\n"
        "    write(t.chorale(), Path(sys.argv[1]) / f'a{suffix}')"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parent)}
    subprocess.run([sys.executable, "-c", code, str(there)], check=True, env=environment)
    assert digests(here) == digests(there)
