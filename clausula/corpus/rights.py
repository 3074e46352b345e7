"""What files say of their rights, and what follows for passing their notes on."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from clausula.reading import unzipped

NO_STATEMENT = "no rights statement in the file"
_STATEMENT = re.compile(
    r"©|\(c\)|copyright|permission|public domain|creative commons|\bcc|licen[cs]e|reserved"
    r"|edizioni",
    re.I,
)
_KERN = re.compile(r"^!!!(YEC|YEM|YER|ONB|EMD): *(.*)$", re.M)
_REFUSED = re.compile(
    r"rights\b.*\breserved|non-?commercial|(no|not be) redistribut|licensing agreement"
    r"|general public license",
    re.I,
)
_GRANTED = re.compile(r"permission|public domain|creative commons|cc-?by|\bcc0|freely", re.I)
_CLAIMED = re.compile(r"©|\(c\)|copyright|edizioni", re.I)


def rights_of(path: Path) -> str:
    """What a file says of its rights, in one line.

    Args:
        path: MusicXML (plain or zipped), kern or ABC; other formats say nothing.
    """
    data = path.read_bytes()
    if data.startswith(b"PK") or data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        root = ElementTree.fromstring(unzipped(data) if data.startswith(b"PK") else data)
        texts = [
            element.text or "" for tag in ("rights", "credit-words") for element in root.iter(tag)
        ]
        texts = [text for text in texts if _STATEMENT.search(text)]
    elif b"**kern" in data:
        texts = [text for _, text in _KERN.findall(data.decode("latin-1"))]
        texts = [text for text in texts if _STATEMENT.search(text)]
    else:
        texts = []
    claims = [" ".join(text.split()) for text in texts]
    return "; ".join(dict.fromkeys(claims)) or NO_STATEMENT


def may_ship(licence: str) -> bool:
    """Whether the notes of a file with this statement may be passed on in the package.

    They may where the statement grants it or where there is none, not where it reserves rights or
    claims them without granting anything.
    """
    if _REFUSED.search(licence):
        return False
    return bool(_GRANTED.search(licence)) or not _CLAIMED.search(licence)
