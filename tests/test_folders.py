import os

import pytest

from clausula.errors import InputError
from clausula.folders import write_bytes


def test_a_file_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "a.mid"
    write_bytes(target, b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        write_bytes(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_missing_folder_is_named(tmp_path):
    (tmp_path / "plain").touch()
    for folder in ("none", "plain"):
        with pytest.raises(InputError, match=f"{folder}/a.xml cannot be written"):
            write_bytes(tmp_path / folder / "a.xml", b"")
