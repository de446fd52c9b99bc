"""The reference of claviger.toml and the environment says what the program reads."""

import re
import subprocess

import rig

DOCUMENT = rig.ROOT / "docs/configuration.md"


def known_keys():
    """Keys by the tables of the readers."""
    keys = set()
    for source in sorted((rig.ROOT / "src/app").glob("config*.cpp")):
        for names in re.findall(r"string_view k\w+\[\] = \{([^}]*)\}", source.read_text()):
            keys.update(re.findall(r'"(\w+)"', names))
    prices = (rig.ROOT / "src/provider/price_file.cpp").read_text()
    for names in re.findall(r"array<\w+, \d+> k(?:Percent|Bound|Unit)Keys\{\{(.*?)\}\};", prices, re.S):
        keys.update(re.findall(r'"(\w+)"', names))
    keys.update(re.findall(r'"(\w+)"', re.search(r"kOtherKeys\{([^}]*)\}", prices)[1]))
    rates = re.search(r"kRateFields\{\{(.*?)\}\};", (rig.ROOT / "src/provider/price.hpp").read_text(), re.S)
    keys.update(re.findall(r'"(\w+)"', rates[1]))
    return keys


def test_every_key_is_in_the_reference_and_no_other():
    keys, told = known_keys(), DOCUMENT.read_text()
    assert len(keys) > 80, "the readers' tables are not where this test looks for them"
    assert not {key for key in keys if not re.search(rf"\b{key}\b", told)}
    rows = re.findall(r"^\| ([^|]*)", told.split("## Environment")[0], re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert not named - keys


def test_every_variable_is_in_the_reference():
    sources = [path for path in (rig.ROOT / "src").rglob("*.cpp") if not path.stem.endswith("_test")]
    read = {name for path in sources for name in re.findall(r'"(CLAVIGER_[A-Z_]+)"', path.read_text())}
    assert read == set(re.findall(r"`(CLAVIGER_[A-Z_]+)`", DOCUMENT.read_text()))


def test_a_level_of_the_log_that_is_none_is_refused(tmp_path):
    data = tmp_path / "data"
    subprocess.run([rig.BIN, "init", "--data", data], check=True, capture_output=True)
    arguments = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
    loud = {"env": {"CLAVIGER_LOG": "loud"}, "timeout": rig.PATIENCE}
    done = subprocess.run([rig.BIN, *arguments], capture_output=True, text=True, **loud)
    assert done.returncode == 3
    assert "CLAVIGER_LOG is 'loud'; it may be debug" in done.stderr
