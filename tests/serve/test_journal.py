"""The log of live series: what a killed process leaves of it, and what it refuses."""

import pytest
from full_disk import full_disk
from hypothesis import given
from hypothesis import strategies as st

from regimetry.errors import DataError
from regimetry.serve.journal import Journal, read_journal

OWNER = "a model"


def write(path, contents, owner=OWNER):
    """Write a journal; return where each record ends."""
    journal = Journal(path, owner, fsync=False)
    ends = [journal.size]
    for content in contents:
        journal.append(content)
        ends.append(journal.size)
    journal.close()
    return ends


def read(path, owner=OWNER):
    found = []
    cut = read_journal(path, owner, found.append)
    return found, cut


@given(contents=st.lists(st.binary(max_size=40), max_size=8))
def test_what_is_appended_is_read(tmp_path_factory, contents):
    path = tmp_path_factory.mktemp("log") / "log"
    write(path, contents[:4])
    assert read(path) == (contents[:4], 0)
    write(path, contents[4:])  # goes on behind what is there
    assert read(path) == (contents, 0)


def test_a_record_that_is_cut_anywhere_is_the_last(tmp_path):
    contents = [b"one", b"", b"three" * 5]
    ends = write(tmp_path / "whole", contents)
    whole = (tmp_path / "whole").read_bytes()
    for size in range(len(whole) + 1):
        path = tmp_path / "cut"
        path.write_bytes(whole[:size])
        kept = sum(end <= size for end in ends) - 1
        found, cut = read(path)
        assert found == contents[: max(kept, 0)]
        assert cut == size - (ends[kept] if kept >= 0 else 0)
        write(path, [b"next"])  # and it goes on from there
        assert read(path) == ([*found, b"next"], 0)


def test_zeros_behind_the_last_record_are_cut(tmp_path):
    write(tmp_path / "log", [b"one"])
    with (tmp_path / "log").open("ab") as file:
        file.write(bytes(500))
    assert read(tmp_path / "log") == ([b"one"], 500)


def test_every_flipped_byte_is_found(tmp_path):
    contents = [b"one" * 9, b"two" * 9]
    ends = write(tmp_path / "log", contents)
    whole = (tmp_path / "log").read_bytes()
    for place in range(len(whole)):
        path = tmp_path / "flipped"
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        last_content = place >= ends[1] + 12
        if last_content:  # as where its end never reached the disk
            assert read(path) == (contents[:1], len(whole) - ends[1])
        else:
            with pytest.raises(DataError):
                read(path)
            assert path.read_bytes()[place] == whole[place] ^ 255  # nothing is cut


def test_rows_of_another_model_are_refused(tmp_path):
    write(tmp_path / "log", [b"one"])
    with pytest.raises(DataError, match="holds rows of the model a model, and this is another"):
        read(tmp_path / "log", "another")
    (tmp_path / "other").write_bytes(b"something else altogether")
    with pytest.raises(DataError, match="no journal"):
        read(tmp_path / "other")


def test_a_full_disk_leaves_whole_records(tmp_path):
    path = tmp_path / "log"
    journal = Journal(path, OWNER, fsync=True)
    journal.append(b"x" * 100)
    with full_disk(journal.size + 50), pytest.raises(OSError, match="too large"):
        journal.append(b"y" * 100)
    assert path.stat().st_size == journal.size
    assert not journal.is_broken
    journal.append(b"z" * 100)
    journal.take_back()
    journal.close()
    assert read(path) == ([b"x" * 100], 0)


def test_a_log_that_cannot_be_cut_says_so(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "log", OWNER, fsync=False)
    journal.append(b"one")

    def fail(*_):
        raise OSError("gone")

    monkeypatch.setattr("os.ftruncate", fail)
    with pytest.raises(OSError, match="gone"):
        journal.take_back()
    assert journal.is_broken
    journal.close()


@pytest.mark.parametrize("fsync", [False, True])
def test_a_record_is_on_the_disk_only_where_that_is_waited_for(tmp_path, monkeypatch, fsync):
    waited = []
    monkeypatch.setattr("os.fsync", waited.append)
    journal = Journal(tmp_path / "log", OWNER, fsync=fsync)
    journal.append(b"one")
    assert len(waited) == (2 if fsync else 0)  # with that of the owner
    journal.close()
