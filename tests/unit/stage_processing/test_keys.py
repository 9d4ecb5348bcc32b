"""The series and groups that a task knows, through a snapshot."""

import pickle

import numpy as np
from pipeline_processing.points.keys import Group, Keys, Series


def series(host: str) -> Series:
    return Series("db", "rp", "cpu", (("host", host), ("zone", "z")))


def test_keys_that_were_kept_know_what_they_knew_and_give_the_same_numbers_next() -> None:
    keys = Keys(groups_max=5)
    for host in "abcd":
        keys.series_id(series(host))
        keys.group_id(Group((("host", host),), "cpu" if host == "a" else None))
    keys.release(np.array([1, 2], dtype=np.int32), series_in_use=np.array([0, 2, 3], dtype=np.int32))
    keys.series_id(series("e"))
    again = pickle.loads(pickle.dumps(keys, protocol=5))
    assert again == keys
    assert again.refilled == [1]
    for each in (keys, again):
        assert [each.series_id(series(host)) for host in "acdeb"] == [0, 2, 3, 1, 4]
        assert [each.group_id_within(Group((("host", host),))) for host in "dxyzw"] == [3, 1, 2, 4, -2]
