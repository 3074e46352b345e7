"""Marked scores: coloured MusicXML and the page."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import verovio
from example_scores import chorale, part, score
from music21 import converter, expressions

from clausula.checker import page
from clausula.checker.check import check
from clausula.checker.page import COLOURS
from clausula.constraints.passage import Task
from clausula.constraints.rule import Severity
from clausula.errors import InputError
from clausula.marking import to_html, to_marked_musicxml, to_marked_svg
from clausula.reading import read_score

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert("1")</script> & \'"'
FAULTY = score(
    "4/4",
    "C",
    "C5:2 D5:2 | B4:2 G4:2 | C5:4",
    "G4:2 A4:2 | D4:2 E4:2 | E4:4",
    "E4:2 F4:2 | B3:2 C4:2 | G3:6",
    "C3:2 D3:2 | G3:2 C3:2 | C3:4",
    title=HOSTILE,
    composer=HOSTILE,
)
THREE = score("3/4", "d", "A4:1 Bb4:1 C5:1 D5:3", "F4:1 G4:1 A4:1 A4:3", "D3:1 C3:1 F3:1 D3:3")
SPECIES = score("4/4", "d", "A4:2 A4:2 B4:2 D5:2 C#5:4 D5:4", "D3:4 E3:4 E3:4 D3:4")


def reports():
    yield "four", check(FAULTY, key="C")
    yield "three", check(THREE, "common-practice-strict")
    yield "species", check(SPECIES, "fux", task=Task(species=2, cantus=1))
    yield "chorale", check(chorale(), "common-practice-strict")
    yield "no fault", check(score("4/4", "C", "C5:4", "G4:4", "E4:4", "C3:4"))


REPORTS = dict(reports())


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_marked_musicxml_reads_as_the_same_music_with_the_same_ids(report, tmp_path):
    path = tmp_path / "marked.musicxml"
    path.write_bytes(to_marked_musicxml(report))
    read = read_score(path)
    assert [p.notes for p in read.parts] == [p.notes for p in report.score.parts]
    toolkit = verovio.toolkit()
    assert toolkit.loadData(path.read_text(encoding="utf-8"))
    assert check(path, "common-practice-strict", report.key).key == report.key


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_exactly_the_notes_at_fault_are_coloured_by_the_gravest_fault(report):
    weights: dict[str, Severity] = {}
    for each in report.findings:
        for name in each.note_ids if each.group else ():
            weights[name] = max(weights.get(name, Severity.OFF), each.severity)
    root = ET.fromstring(to_marked_musicxml(report))
    ids = {note.id for line in report.score.parts for note in line.notes}
    coloured = {e.get("id"): e.get("color") for e in root.iter("note") if e.get("color")}
    assert {name: colour for name, colour in coloured.items() if name in ids} == {
        name: COLOURS[weight] for name, weight in weights.items()
    }


def test_every_symbol_of_a_tied_note_is_coloured():
    tied = score("4/4", "C", "C5:2 D5:4 E5:2", "C4:2 D4:4 E4:2")
    root = ET.fromstring(to_marked_musicxml(check(tied, key="C")))
    coloured = {e.get("id") for e in root.iter("note") if e.get("color")}
    assert {"S1", "S1-2", "A1", "A1-2"} <= coloured


def test_faults_stand_in_words_where_they_are(tmp_path):
    path = tmp_path / "marked.musicxml"
    path.write_bytes(to_marked_musicxml(check(FAULTY, key="C")))
    found = {}
    for line in converter.parse(path).parts:
        for words in line.recurse().getElementsByClass(expressions.TextExpression):
            place = words.measureNumber, words.offset
            found.setdefault(place, []).append((line.partName, words.content))
    assert sorted(found[1, 2.0]) == [
        ("Alto", "1 M01 Parallel fifths"),
        ("Bass", "1"),
        ("Soprano", "1 M02"),
    ]
    assert [text for place, texts in found.items() if place[0] == 2 for _, text in texts]


class Page(HTMLParser):
    """What a browser would find: tags with their attributes, and the words outside scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self._raw = [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._raw = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag):
        self._raw = ""

    def handle_data(self, data):
        if not self._raw:
            self.words.append(data)

    def named(self, name):
        return [attrs for tag, attrs in self.tags if tag == name]


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_the_page_says_everything_that_was_found(report):
    text = to_html(report)
    found = Page(text)
    words = " ".join(found.words)
    for each in report.findings:
        for part_of in (each.message, each.why, each.source, each.code, each.licence):
            assert part_of in words
    assert report.summary in words
    for chord in report.chords:
        assert chord.numeral in words
    items = {attrs["data-finding"] for _, attrs in found.tags if "data-finding" in attrs}
    assert items == {str(index) for index in range(len(report.findings))}
    noted = {index for _, attrs in found.tags for index in attrs.get("data-findings", "").split()}
    faults = {str(i) for i, f in enumerate(report.findings) if f.group and f.note_ids}
    assert noted == faults


def test_the_page_has_headings_language_and_title_and_asks_for_nothing():
    found = Page(to_html(REPORTS["four"]))
    assert found.named("html") == [{"lang": "en"}]
    assert len(found.named("h1")) == len(found.named("title")) == 1
    assert len(found.named("svg")) >= 2
    outside = [
        (tag, name, value)
        for tag, attrs in found.tags
        for name, value in attrs.items()
        if name in ("src", "href", "xlink:href", "action") and not value.startswith("#")
    ]
    assert outside == []
    assert "default-src 'none'" in found.named("meta")[2]["content"]
    ids = [attrs["id"] for _, attrs in found.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_whatever_a_file_says_is_text_in_the_page():
    named = replace(
        FAULTY,
        parts=tuple(
            replace(
                line,
                name=f"{HOSTILE}{i}",
                notes=tuple(replace(n, id=f"{n.id}{HOSTILE}", text=HOSTILE) for n in line.notes),
            )
            for i, line in enumerate(FAULTY.parts[:3])
        ),
    )
    report = check(named, "common-practice-strict", name=f"{HOSTILE}.xml")
    assert report.slips
    clean = Page(to_html(REPORTS["four"]))
    found = Page(to_html(report))
    assert len(found.named("script")) == len(clean.named("script")) == 1
    assert HOSTILE in " ".join(found.words)
    assert {tag for tag, _ in found.tags} <= {tag for tag, _ in clean.tags} | {"p", "ul"}
    assert not [name for _, attrs in found.tags for name in attrs if name.startswith("on")]


def test_notes_at_fault_are_numbered_so_that_colour_is_not_needed():
    report = check(FAULTY, key="C")
    (svg,) = to_marked_svg(report)
    root = ET.fromstring(svg)
    marked = [g for g in root.iter(f"{SVG}g") if g.get("data-findings")]
    margin = next(g for g in root.iter(f"{SVG}g") if g.get("class") == "page-margin")
    numbers = [t.text for t in margin.findall(f"{SVG}text")]
    at_fault = {name for each in report.findings if each.group for name in each.note_ids}
    assert {g.get("id") for g in marked} == at_fault
    assert len(numbers) == len(at_fault)
    assert {n for text in numbers for n in text.split(",")} == {
        str(each.group) for each in report.findings if each.group
    }


def test_chords_and_cadences_stand_below_the_lowest_staff():
    report = check(
        score("4/4", "C", "C5:2 B4:2 | C5:4", "G4:8", "E4:2 D4:2 | E4:4", "C3:2 G3:2 | C3:4")
    )
    (svg,) = to_marked_svg(report)
    harms = [g for g in ET.fromstring(svg).iter(f"{SVG}g") if g.get("class") == "harm"]
    words = ["".join(g.itertext()).strip() for g in harms]
    assert words == ["C: I", "V", "I [PAC]"]


def test_a_report_without_a_score_cannot_be_drawn():
    with pytest.raises(InputError, match="no score"):
        to_html(replace(REPORTS["four"], score=None))


def test_parts_without_notes_can_be_drawn():
    silent = replace(THREE, parts=(*THREE.parts, part("Bass", "r:3 r:3")))
    assert "<svg" in to_html(check(silent, "common-practice-strict"))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_script_of_the_page_can_be_parsed(tmp_path):
    script = re.search(r"<script>(.*)</script>", to_html(REPORTS["four"]), re.DOTALL)[1]
    path = tmp_path / "page.js"
    path.write_text(script)
    done = subprocess.run(["node", "--check", path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_pages_colours_are_those_of_the_score():
    css = (page._FOLDER / "page.css").read_text()
    for level, colour in COLOURS.items():
        assert f".{level.word} {{ --colour: {colour.lower()}; }}" in css
