"""Fixtures of the flow tests: one gate with one sandbox a module, fresh ones for tests that count money."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import rig  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than half a minute; left out under sanitizers")


def checked_stop(gate, sandbox):
    """Ends both; SIGTERM must end them with 0, and the journal they leave must verify."""
    assert gate.stop() == 0, gate.process.text()
    report = gate.cli("journal", "verify", "--data", gate.data, "--json")
    assert report.get("ok", True) is True, report
    assert sandbox.stop() == 0, sandbox.process.text()


@pytest.fixture(autouse=True)
def nothing_left():
    """A test that fails before it holds what it has started leaves no process behind."""
    with rig.nothing_left():
        yield


@pytest.fixture
def fresh(tmp_path):
    """Makes gates with sandboxes of their own: fresh() or fresh(options=[...], config="...")."""
    made = []

    def make(**options):
        folder = tmp_path / str(len(made))
        folder.mkdir()
        sandbox = rig.Sandbox(folder)
        made.append((rig.Gate(folder, sandbox, **options), sandbox))
        return made[-1]

    yield make
    for gate, sandbox in made:
        checked_stop(gate, sandbox)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One gate with one sandbox for a module whose tests do not look at sums."""
    folder = tmp_path_factory.mktemp("shared")
    with rig.nothing_left():
        sandbox = rig.Sandbox(folder)
        gate = rig.Gate(folder, sandbox)
        yield gate
        checked_stop(gate, sandbox)
