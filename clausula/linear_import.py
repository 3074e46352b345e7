"""music21's MusicXML importer, in time that grows with a part's length and not with its square."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from music21 import stream
from music21.musicxml.xmlToM21 import MusicXMLImporter, PartParser


class LinearImporter(MusicXMLImporter):
    """Imports scores whose parts have thousands of measures."""

    def xmlPartToPart(self, mxPart: Element, mxScorePart: Element) -> stream.Part | None:  # noqa: N802
        """One part; None where its staves became parts of the score themselves."""
        parser = _LinearPartParser(mxPart, mxScorePart=mxScorePart, parent=self)
        parser.parse()
        return parser.stream if parser.appendToScoreAfterParse else None


class _LinearPartParser(PartParser):
    def parseMeasures(self) -> None:  # noqa: N802
        """Read the measures; they come in order.

        To know whether a measure is the last so far, a sorted stream looks at all of them, each
        time; one that is not sorted does not ask.
        """
        self.stream.autoSort = False
        self.stream.isSorted = False
        super().parseMeasures()
        self.stream.autoSort = True
