"""Scores that are written correctly, or nearly, and look like nothing that was expected."""

from __future__ import annotations

from hostile.case import DIVISIONS, SATB, Case, four, move, note, score, single, voices

S, A, T, B = SATB
GRACE = "<note><grace/><pitch><step>F</step><octave>5</octave></pitch><voice>1</voice></note>"
TRIPLET = (
    "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes>"
    "</time-modification>"
)
CLARINET = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
CONTRABASS = "<transpose><chromatic>0</chromatic><octave-change>-1</octave-change></transpose>"
TENOR_CLEF = "<clef><sign>G</sign><line>2</line><clef-octave-change>-1</clef-octave-change></clef>"
REPEAT = '<barline location="{side}">{ending}<repeat direction="{way}"/></barline>'
THREE = "<attributes><time><beats>3</beats><beat-type>4</beat-type></time></attributes>"


def _after_soprano(*more: str) -> str:
    """SATB and something after the first measure's notes of the soprano."""
    soprano = single(S)
    return score([soprano[0] + "".join(more), soprano[1]], *map(single, (A, T, B)))


def _before_soprano(*more: str, lower: tuple[str, ...] = (A, T, B)) -> str:
    soprano = single(S)
    return score(["".join(more) + soprano[0], soprano[1]], *map(single, lower))


def _drums() -> list[str]:
    hit = "<unpitched><display-step>E</display-step><display-octave>4</display-octave></unpitched>"
    return [
        f"<note>{hit}<duration>{4 * DIVISIONS}</duration><voice>1</voice></note>" for _ in range(2)
    ]


def _zero(tag: str = "<duration>0</duration>") -> str:
    return f"<note><pitch><step>F</step><octave>5</octave></pitch>{tag}<voice>1</voice></note>"


def _tied(first: str, second: str) -> str:
    ties = "".join(f'<tie type="{kind}"/>' for kind in first.split())
    others = "".join(f'<tie type="{kind}"/>' for kind in second.split())
    return score(
        [note("C5", 4, inner=ties), note("C5", 4, inner=others)],
        single("E4:4 | E4:4"),
        single("G3:4 | G3:4"),
        single("C3:4 | C3:4"),
    )


def _pair(*measures: str) -> str:
    """Four parts, the soprano's measures as given in MusicXML, the others resting."""
    return score(list(measures), *(single(" | ".join(["r:4"] * len(measures))) for _ in range(3)))


TIED = ("E4:4 | E4:4", "G3:4 | G3:4", "C3:4 | C3:4")

CASES = (
    Case("four parts", four, SATB),
    Case("notes without duration", lambda: _before_soprano(_zero()), SATB),
    Case("notes without a duration element", lambda: _before_soprano(_zero("")), SATB),
    Case("grace notes", lambda: _before_soprano(GRACE, GRACE), SATB),
    Case("grace notes alone after the last note", lambda: _after_soprano(GRACE), SATB),
    Case(
        "grace chord",
        lambda: _before_soprano(GRACE, GRACE.replace("<grace/>", "<grace/><chord/>")),
        SATB,
    ),
    Case("a cue note", lambda: _before_soprano(note("F5", 0, inner="<cue/>")), SATB),
    Case(
        "negative duration",
        lambda: _before_soprano(note("F5", -1)),
        says="measure 1",
    ),
    Case(
        "a duration that is no number",
        lambda: four().replace(">48<", ">half<"),
        says="a duration is 'half'",
    ),
    Case("a duration of NaN", lambda: four().replace(">48<", ">nan<"), says="a duration is 'nan'"),
    Case(
        "an infinite duration", lambda: four().replace(">48<", ">inf<"), says="a duration is 'inf'"
    ),
    Case(
        "a duration of 1e300",
        lambda: four().replace(">48<", ">1e300<"),
        says="a duration is '1e300'",
    ),
    Case(
        "divisions of 0", lambda: four().replace(f">{DIVISIONS}<", ">0<"), says="divisions are '0'"
    ),
    Case(
        "negative divisions",
        lambda: four().replace(f">{DIVISIONS}<", f">-{DIVISIONS}<"),
        says="divisions",
    ),
    Case(
        "a backup beyond the start",
        lambda: _after_soprano(move("backup", 9), note("F5", 4, 2)),
        says="measure 1",
    ),
    Case(
        "a forward of 10 million quarters",
        lambda: _after_soprano(move("forward", 10_000_000), note("F5", 4)),
        says="measure 1",
    ),
    Case(
        "drums beside four voices",
        lambda: score(
            *map(single, SATB), _drums(), names=("Soprano", "Alto", "Tenor", "Bass", "Drums")
        ),
        SATB,
    ),
    Case("drums alone", lambda: score(_drums()), says="no notes"),
    Case(
        "a voice of drums in a part with notes",
        lambda: score([one + two for one, two in zip(single(S), _drums(), strict=True)]),
        ("C5:2 B4:2 r:4 C5:4",),
    ),
    Case(
        "no key signature",
        lambda: four(attributes="<time><beats>4</beats><beat-type>4</beat-type></time>"),
        SATB,
    ),
    Case("no key and no meter", lambda: four(attributes=""), SATB),
    Case(
        "no attributes at all",
        lambda: (
            score(*([note("C5", 1).replace(">24<", ">1<") * 4] for _ in range(4)))
            .replace("<attributes>", "<print/><x>")
            .replace("</attributes>", "</x>")
        ),
        says="nothing says how many divisions",
    ),
    Case(
        "senza misura",
        lambda: four(attributes="<key><fifths>0</fifths></key><time><senza-misura/></time>"),
        SATB,
    ),
    Case(
        "a key of 12 sharps",
        lambda: four(attributes="<key><fifths>12</fifths></key>"),
        says="key signature",
    ),
    Case(
        "a key signature that is not traditional",
        lambda: four(
            attributes="<key><key-step>F</key-step><key-alter>1</key-alter>"
            "<key-step>B</key-step><key-alter>-1</key-alter></key>"
        ),
        SATB,
    ),
    Case(
        "dorian",
        lambda: four(attributes="<key><fifths>0</fifths><mode>dorian</mode></key>"),
        SATB,
    ),
    Case(
        "a meter of 3+2/8",
        lambda: score(
            single("C5:5/2 | D5:5/2"),
            attributes="<time><beats>3+2</beats><beat-type>8</beat-type></time>",
        ),
        ("C5:5/2 | D5:5/2",),
    ),
    Case(
        "a meter of -4/4",
        lambda: four(attributes="<time><beats>-4</beats><beat-type>4</beat-type></time>"),
        says="time signature",
    ),
    Case(
        "a meter of a billion beats",
        lambda: four(attributes="<time><beats>1000000000</beats><beat-type>4</beat-type></time>"),
        says="time signature",
    ),
    Case(
        "clarinet in B flat",
        lambda: four("D5:2 C#5:2 | D5:4", A, T, B, more=(CLARINET,)),
        SATB,
    ),
    Case(
        "contrabass an octave lower than written",
        lambda: four(S, A, T, "C4:2 G3:2 | C4:4", more=("", "", "", CONTRABASS)),
        SATB,
    ),
    Case("tenor in G8vb", lambda: four(more=("", "", TENOR_CLEF, "")), SATB),
    Case(
        "five parts",
        lambda: score(*map(single, (*SATB, "C2:2 G2:2 | C2:4"))),
        (*SATB, "C2:2 G2:2 | C2:4"),
    ),
    Case(
        "a chord in a part",
        lambda: _before_soprano().replace(
            "<voice>1</voice></note>",
            "<voice>1</voice></note>" + note("E4", 2, chord=True),
            1,
        ),
        (S, "E4:2 B4:2 | C5:4", A, T, B),
    ),
    Case("a part of rests", lambda: four(S, A, "r:4 | r:4", B), (S, A, "", B)),
    Case(
        "a part without notes or rests",
        lambda: score(single(S), single(A), ["", ""], single(B)),
        (S, A, "", B),
    ),
    Case(
        "a part with fewer measures",
        lambda: score(single(S), single(A), single(T)[:1], single(B)),
        (S, A, "E4:2 D4:2", B),
    ),
    Case(
        "whole-measure rests",
        lambda: (
            four(S, A, T, B + "| r:4").replace("", "")
            if False
            else four(S, A, T, "r:4 | C3:4").replace("<rest/>", '<rest measure="yes"/>')
        ),
        (S, A, T, "r:4 | C3:4"),
    ),
    Case(
        "triplets",
        lambda: _pair(
            "".join(note(n, "2/3", inner=TRIPLET) for n in ("C5", "D5", "E5")) + note("C5", 2)
        ),
        ("C5:2/3 D5:2/3 E5:2/3 C5:2", "", "", ""),
    ),
    Case(
        "quintuplets in decimals",
        lambda: _pair(
            "".join(note("C5", 0).replace("<duration>0<", "<duration>9.6<") for _ in range(5))
            + note("D5", 2)
        ),
        ("C5:2/5 " * 5 + "D5:2", "", "", ""),
    ),
    Case(
        "septuplets in rounded durations",
        lambda: _pair(
            "".join(
                note("C5", 0).replace("<duration>0<", f"<duration>{d}<")
                for d in (3, 4, 3, 4, 3, 4, 3)
            )
            + note("D5", 3)
        ),
        ("C5:1/8 C5:1/6 C5:1/8 C5:1/6 C5:1/8 C5:1/6 C5:1/8 D5:3", "", "", ""),
    ),
    Case(
        "meter changes",
        lambda: score(
            *(
                [each[0], THREE + each[1], each[2]]
                for each in (single(f"{p}:4 | {p}:3 | {p}:3") for p in ("C5", "G4", "E4", "C3"))
            )
        ),
        tuple(f"{p}:4 {p}:3 {p}:3" for p in ("C5", "G4", "E4", "C3")),
    ),
    Case(
        "a pick-up",
        lambda: score(
            *(single(f"{p}:1 | {p}:4 | {p}:3") for p in ("C5", "G4", "E4", "C3")),
            numbers=(0, 1, 2),
        ),
        tuple(f"{p}:1 {p}:4 {p}:3" for p in ("C5", "G4", "E4", "C3")),
    ),
    Case(
        "repeats and voltas",
        lambda: score(
            *(
                [
                    REPEAT.format(side="left", ending="", way="forward") + each[0],
                    '<barline location="left"><ending number="1" type="start"/></barline>'
                    + each[1]
                    + REPEAT.format(
                        side="right", ending='<ending number="1" type="stop"/>', way="backward"
                    ),
                    '<barline location="left"><ending number="2" type="start"/></barline>'
                    + each[2]
                    + '<barline location="right"><ending number="2" type="stop"/></barline>',
                ]
                for each in (single(f"{p}:4 | {p}:4 | {p}:4") for p in ("C5", "G4", "E4", "C3"))
            )
        ),
        tuple(f"{p}:4 {p}:4 {p}:4" for p in ("C5", "G4", "E4", "C3")),
    ),
    Case("a tie across the bar line", lambda: _tied("start", "stop"), ("C5:8", *TIED)),
    Case("a tie to nothing", lambda: _tied("start", ""), ("C5:4 C5:4", *TIED)),
    Case("a tie from nothing", lambda: _tied("", "stop"), ("C5:4 C5:4", *TIED)),
    Case("ties that stop and start", lambda: _tied("stop start", "stop start"), ("C5:8", *TIED)),
    Case(
        "double accidentals",
        lambda: four("F##5:2 Bbb4:2 | C5:4", A, T, B),
        ("F##5:2 Bbb4:2 | C5:4", A, T, B),
    ),
    Case(
        "triple accidentals",
        lambda: four("F##5:2 B4:2 | C5:4", A, T, B).replace("<alter>2<", "<alter>3<"),
        ("F###5:2 B4:2 | C5:4", A, T, B),
    ),
    Case(
        "an alteration of 999",
        lambda: four("F##5:2 B4:2 | C5:4", A, T, B).replace("<alter>2<", "<alter>999<"),
        says="999",
    ),
    Case(
        "quarter tones",
        lambda: four().replace("<alter>0<", "<alter>0.5<", 1),
        says="staff 1, measure 1, beat 1: C~5 is a quarter tone",
    ),
    Case("octave 30", lambda: four().replace("<octave>5", "<octave>30"), says="MIDI"),
    Case("octave -30", lambda: four().replace("<octave>5", "<octave>-30"), says="MIDI"),
    Case(
        "octave of 2,000 digits",
        lambda: four().replace("<octave>5", f"<octave>{'9' * 2000}"),
        says="the octave is",
    ),
    Case("a note H", lambda: four().replace("<step>C", "<step>H"), says="'H'"),
    Case("measures numbered alike", lambda: four(numbers=(1, 1)), SATB),
    Case("measures numbered 12a and X1", lambda: four(numbers=("12a", "X1")), SATB),
    Case("measures numbered with nothing", lambda: four(numbers=("", "")), SATB),
    Case(
        "measures without numbers",
        lambda: four(numbers=(1, 2)).replace(' number="1"', "").replace(' number="2"', ""),
        SATB,
    ),
    Case("measures numbered with 5,000 digits", lambda: four(numbers=("9" * 5000, 2)), SATB),
    Case("part names of 10,000 letters", lambda: four(names=("x" * 10_000,) * 4), SATB),
    Case(
        "five parts with names of 10,000 letters",
        lambda: score(*map(single, (*SATB, B)), names=("x\n" * 5_000,) * 5),
        (*SATB, B),
    ),
    Case(
        "part names with control characters",
        lambda: four(names=("&#7;", "A", "T", "B")),
        says="its MusicXML is damaged",
    ),
    Case(
        "part names with turns of direction",
        lambda: four(names=("\u202e\u2066", "A", "T", "B")),
        SATB,
    ),
    Case("parts with one id", lambda: four().replace('id="P1"', 'id="P0"'), says="P0"),
    Case("a voice of spaces", lambda: four().replace("<voice>1", "<voice>  "), SATB),
    Case(
        "a voice of 10,000 digits",
        lambda: four().replace("<voice>1", "<voice>" + "1" * 10_000),
        SATB,
    ),
    Case(
        "a staff of -1", lambda: score(voices(*SATB, staves=(1, 1, -1, -1)), staves=2), says="staff"
    ),
    Case(
        "a staff that is no number",
        lambda: score(voices(*SATB), staves=2).replace("<staff>2", "<staff>b"),
        says="staff",
    ),
    Case(
        "staves that are no number",
        lambda: score(voices(*SATB), staves=2).replace("<staves>2", "<staves>two"),
        says="two",
    ),
    Case("10,000 staves", lambda: score(voices(*SATB), staves=10_000), says="10,000 staves"),
    Case("notes of staff 2 where one staff is declared", lambda: score(voices(*SATB)), SATB),
)
