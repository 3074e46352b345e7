"""What files say of their rights."""

import pytest
from score_files import four

from clausula.corpus.rights import NO_STATEMENT, may_ship, rights_of


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        (NO_STATEMENT, True),
        ("PDF © 2004 Margaret Greentree; used by permission", True),
        ("Public Domain (Encoding by MSAC: CC0)", True),
        ("2010 Michael Scott Cuthbert -- freely distributed under a CC-BY-SA 3.0 license", True),
        ("Copyright ©", False),
        ("Copyright 2000, J M; Rights to all derivative electronic formats reserved.", False),
        ("UT ORPHEUS EDIZIONI 2003", False),
        ("free for non-commercial use, by permission", False),
        ("under the terms of the GNU General Public License", False),
    ],
)
def test_what_may_ship(licence, allowed):
    assert may_ship(licence) is allowed


def test_the_statement_of_a_musicxml_file(tmp_path):
    path = tmp_path / "a.musicxml"
    path.write_bytes(four(1, rights="Copyright\n 1999 Somebody"))
    assert rights_of(path) == "Copyright 1999 Somebody"
    path.write_bytes(four(1, rights="Violin I"))
    assert rights_of(path) == NO_STATEMENT


def test_the_statement_of_a_kern_file(tmp_path):
    path = tmp_path / "a.krn"
    path.write_text("**kern\n4c\n*-\n!!!YEC: Copyright 1994 X\n!!!YEM: All rights reserved.\n")
    assert rights_of(path) == "Copyright 1994 X; All rights reserved."


def test_other_formats_say_nothing(tmp_path):
    path = tmp_path / "a.mid"
    path.write_bytes(b"MThd copyright")
    assert rights_of(path) == NO_STATEMENT
