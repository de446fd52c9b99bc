"""The rig cleans up after itself, also when what it builds fails half way."""

import pytest

import rig
from test_rotation import House


def test_a_house_that_fails_in_construction_leaves_no_process_running(tmp_path):
    with pytest.raises(AssertionError), rig.nothing_left():
        before = len(rig.Process.started)
        try:
            House(tmp_path, provider="no such provider")
        finally:
            started = rig.Process.started[before:]
            assert len(started) == 2 and all(one.alive() for one in started)
    assert not any(one.alive() for one in started)
