"""Files that are damaged, dangerous, or no scores."""

from __future__ import annotations

import json
from collections.abc import Callable

from hostile.case import SATB, Case, container, four, note, score, single, zipped

WHOLE = four()
LAUGHTER = "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(12))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "ha">{LAUGHTER}]>'
QUADRATIC = f'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "{"x" * 100_000}">]>'
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a SYSTEM "{}">]>'
PARAMETER = '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]>'
USUAL = (
    '<?xml version="1.0" encoding="UTF-8" standalone="no"?><!DOCTYPE score-partwise PUBLIC '
    '"-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">'
)
XINCLUDE = (
    '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>'
)


def _named(entity: str, head: str) -> str:
    return four(names=(entity, "Alto", "Tenor", "Bass"), head=head)


def _cut(share: float) -> Callable[[], str]:
    return lambda: WHOLE[: int(len(WHOLE) * share)]


def _bomb() -> bytes:
    """Some 60 kB that unpack to 60 MB."""
    return zipped(("a.xml", "<score-partwise>" + " " * 60_000_000 + "</score-partwise>"))


def _huge_bomb() -> bytes:
    return zipped(("a.xml", b"<" + bytes(100_000_000)))


def _lying_bomb() -> bytes:
    """A zip whose entry says it holds 100 bytes and holds 60 MB."""
    data = zipped(("a.xml", " " * 60_000_000))
    true = (60_000_000).to_bytes(4, "little")
    return data.replace(true, (100).to_bytes(4, "little"))


def _bomb_in_container() -> bytes:
    return zipped(("a.xml", WHOLE), ("META-INF/container.xml", "<c>" + " " * 60_000_000 + "</c>"))


def _deep(levels: int) -> str:
    return four().replace("<part-list>", "<x>" * levels + "</x>" * levels + "<part-list>", 1)


def _wide() -> str:
    """A note with a million attributes' worth of unknown elements."""
    return (
        four()
        .replace("<rest/>", "")
        .replace("</score-partwise>", "<x/>" * 500_000 + "</score-partwise>")
    )


CASES = (
    *(
        Case(f"cut after {share:.0%}", _cut(share), says="damaged")
        for share in (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
    ),
    Case("the last byte missing", lambda: WHOLE[:-1], says="damaged"),
    Case("text after the end", lambda: WHOLE + "<x/>", says="damaged"),
    Case("a closing tag too few", lambda: WHOLE.replace("</measure>", "", 1), says="damaged"),
    Case("billion laughs in a part name", lambda: _named("&l;", LAUGHS), says="entities"),
    Case(
        "billion laughs in an attribute",
        lambda: four(head=LAUGHS).replace('"P0"', '"&l;"'),
        says="entities",
    ),
    Case("quadratic blow-up", lambda: _named("&a;" * 5_000, QUADRATIC), says="entities"),
    Case(
        "an external entity",
        lambda: _named("&a;", EXTERNAL.format("file:///etc/passwd")),
        says="entities",
    ),
    Case(
        "an external entity on the web",
        lambda: _named("&a;", EXTERNAL.format("http://127.0.0.1:9/x")),
        says="entities",
    ),
    Case("an external parameter entity", lambda: four(head=PARAMETER), says="entities"),
    Case("an XInclude", lambda: four().replace("<part-list>", XINCLUDE + "<part-list>"), SATB),
    Case("the usual document type", lambda: four(head=USUAL), SATB),
    Case("elements 100,000 deep", lambda: _deep(100_000), SATB),
    Case("500,000 unknown elements", _wide, SATB),
    Case("UTF-16 with a mark", lambda: four(head="").encode("utf-16"), SATB),
    Case(
        "UTF-16 declared",
        lambda: four(head='<?xml version="1.0" encoding="UTF-16"?>').encode("utf-16"),
        SATB,
    ),
    Case(
        "UTF-16 without a mark",
        lambda: four(head='<?xml version="1.0" encoding="UTF-16"?>').encode("utf-16-le"),
        SATB,
    ),
    Case("UTF-32", lambda: four(head="").encode("utf-32"), says="not a score"),
    Case("UTF-8 with a mark", lambda: four().encode("utf-8-sig"), SATB),
    Case(
        "Latin-1 declared",
        lambda: four(
            names=("Für", "A", "T", "B"), head='<?xml version="1.0" encoding="ISO-8859-1"?>'
        ).encode("latin-1"),
        SATB,
    ),
    Case(
        "Latin-1 not declared",
        lambda: four(names=("Für", "A", "T", "B")).encode("latin-1"),
        says="damaged",
    ),
    Case(
        "an encoding nobody knows",
        lambda: four(head='<?xml version="1.0" encoding="klingon"?>'),
        says="damaged",
    ),
    Case("null bytes inside", lambda: WHOLE.replace("<measure", "\0<measure", 1), says="damaged"),
    Case("spaces before the XML head", lambda: "\n\n  " + WHOLE, SATB),
    Case(
        "a name space",
        lambda: WHOLE.replace("<score-partwise", '<score-partwise xmlns="http://x"'),
        says="root",
    ),
    Case("no part list", lambda: WHOLE.replace("part-list>", "x>"), says="part list"),
    Case("no parts", lambda: score(), says="no measures"),
    Case("no measures", lambda: score([], [], [], []), says="no notes"),
    Case("a timewise score", lambda: WHOLE.replace("partwise", "timewise"), says="timewise"),
    Case(
        "a web page", lambda: "<!DOCTYPE html><html><body>404</body></html>", says="root is <html>"
    ),
    Case("an SVG", lambda: '<svg xmlns="http://www.w3.org/2000/svg"/>', says="root is"),
    Case(
        "a zip",
        lambda: zipped(("score.xml", WHOLE), container("score.xml")),
        SATB,
        file="piece.mxl",
    ),
    Case("a zip without container", lambda: zipped(("score.xml", WHOLE)), SATB, file="piece.mxl"),
    Case(
        "a zip of two scores, one named",
        lambda: zipped(("a.xml", "<html/>"), ("b.xml", WHOLE), container("b.xml")),
        SATB,
        file="piece.mxl",
    ),
    Case(
        "a zip without score", lambda: zipped(("a.txt", "hello")), says="no score", file="piece.mxl"
    ),
    Case(
        "a zip that names a missing score",
        lambda: zipped(("a.xml", WHOLE), container("b.xml")),
        SATB,
        file="piece.mxl",
    ),
    Case(
        "a zip that climbs out of its folder",
        lambda: zipped(("../../../../etc/passwd.xml", WHOLE), container("/etc/passwd")),
        SATB,
        file="piece.mxl",
    ),
    Case(
        "a zip with a broken container",
        lambda: zipped(("a.xml", WHOLE), ("META-INF/container.xml", "<c")),
        says="damaged",
        file="piece.mxl",
    ),
    Case("an empty zip", lambda: zipped(), says="not a score", file="piece.mxl"),
    Case(
        "a zip in a zip",
        lambda: zipped(("a.xml", zipped(("a.xml", WHOLE)))),
        says="damaged",
        file="piece.mxl",
    ),
    Case(
        "a zip cut in half",
        lambda: zipped(("score.xml", WHOLE))[:400],
        says="damaged",
        file="piece.mxl",
    ),
    Case(
        "a zip with wrong check sums",
        lambda: zipped(("score.xml", WHOLE)).replace(b"score.xml", b"scorf.xml", 1),
        says="damaged",
        file="piece.mxl",
    ),
    Case("a zip with a password", lambda: _locked(), says="damaged", file="piece.mxl"),
    Case("a zip bomb of 60 MB of spaces", _bomb, says="no measures", file="piece.mxl"),
    Case("a zip bomb of 100 MB", _huge_bomb, says="large", file="piece.mxl"),
    Case("a zip bomb that lies about its size", _lying_bomb, says="damaged", file="piece.mxl"),
    Case("a zip bomb in the container", _bomb_in_container, SATB, file="piece.mxl"),
    Case(
        "a zip of 50,000 entries",
        lambda: zipped(*((f"{i}.txt", "") for i in range(50_000)), ("a.xml", WHOLE)),
        SATB,
        file="piece.mxl",
    ),
    Case("an empty file", lambda: b"", says="empty"),
    Case("an empty file called .mid", lambda: b"", says="empty", file="piece.mid"),
    Case("null bytes", lambda: bytes(1000), says="not a score"),
    Case("1 MB of letters", lambda: "a" * 1_000_000, says="not a score"),
    Case("JSON", lambda: json.dumps({"notes": [60]}), says="not a score"),
    Case("100 MB of spaces in XML", lambda: b"<score-partwise>" + b" " * 100_000_000, says="large"),
    Case("100 MB of null bytes", lambda: bytes(100_000_000), says="not a score"),
    Case("one measure of 30,000 notes", lambda: score([note("C5", "1/24") * 30_000]), says=""),
    Case(
        "201,000 notes in tags of few letters",
        lambda: score([note("C5", "1/24")] * 10).replace(
            "</part>", "<measure><note/></measure>" * 201_000 + "</part>"
        ),
        says="notes and rests",
    ),
    Case("1,000 parts", lambda: score(*(single("C5:4") for _ in range(1_000))), says="parts"),
)


def _locked() -> bytes:
    """A zip whose entry is marked as encrypted."""
    data = bytearray(zipped(("score.xml", WHOLE)))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)
