from __future__ import annotations

from pathlib import Path

import pytest

from neuromorph.errors import InputError
from neuromorph.whole_file import whole_file


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(TypeError), whole_file(path) as stream:
        stream.writelines(["half", 3])  # type: ignore[list-item]
    assert list(tmp_path.iterdir()) == []
    with whole_file(path) as stream:
        stream.write("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(TypeError), whole_file(path, binary=True) as stream:
        stream.writelines([b"new", 3])
    assert path.read_text() == "old"


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    with whole_file(tmp_path / "ours") as stream:
        stream.write("")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot write .*no/a.txt"), whole_file(tmp_path / "no" / "a.txt"):
        pass
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="it is a folder"), whole_file(tmp_path / "folder"):
        pass
    assert list((tmp_path / "folder").iterdir()) == []
