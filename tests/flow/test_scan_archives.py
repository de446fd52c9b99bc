"""claviger scan --archives: what is inside is found, and what is made to harm is named and left."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib

import pytest

import leaks

zstandard = pytest.importorskip("zstandard")


def zipped(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def tarred(files, format=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, text in files.items():
            data = text if isinstance(text, bytes) else text.encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def found(path, *options):
    code, report, err = leaks.scan(path, "--archives", *options)
    return code, {f["file"] for f in report["findings"]}, err


def text(seed="a"):
    return f"first\nkey = '{leaks.openai_key(seed)}'\n"


def test_each_kind_is_opened_and_its_paths_are_shown(tmp_path):
    long = "deep/" * 40 + "name"
    files = {
        "a.zip": zipped({"in/a.py": text()}), "stored.jar": zipped({"b": text()}, zipfile.ZIP_STORED),
        "c.whl": zipped({"pkg/c.py": text()}), "d.tar": tarred({"d": text(), long: text()}),
        "gnu.tar": tarred({long: text()}, tarfile.GNU_FORMAT),
        "ustar.tar": tarred({"u": text()}, tarfile.USTAR_FORMAT),
        "e.tar.gz": gzip.compress(tarred({"e": text()})), "f.tgz": gzip.compress(tarred({"f": text()})),
        "g.tar.zst": zstandard.compress(tarred({"g": text()})), "log.gz": gzip.compress(text().encode()),
        "h.zst": zstandard.compress(text().encode()),
        "two.gz": gzip.compress(b"x\n") + gzip.compress(text().encode()),
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    code, where, err = found(tmp_path)
    assert code == 1, err
    assert where == {
        "a.zip!/in/a.py", "stored.jar!/b", "c.whl!/pkg/c.py", "d.tar!/d", f"d.tar!/{long}",
        f"gnu.tar!/{long}",
        "ustar.tar!/u", "e.tar.gz!/e", "f.tgz!/f", "g.tar.zst!/g", "log.gz!/log", "h.zst!/h", "two.gz!/two",
    }  # fmt: skip


def test_without_archives_they_are_bytes(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"a": text()}))
    (tmp_path / "stored.zip").write_bytes(zipped({"a": text()}, zipfile.ZIP_STORED))
    code, report, _ = leaks.scan(tmp_path)
    assert [f["file"] for f in report["findings"]] == ["stored.zip"]


def test_three_levels_are_opened_and_a_fourth_is_named(tmp_path):
    inner = zipped({"key": text()})
    for name in ("two.zip", "three.zip"):
        inner = zipped({name: inner})
    (tmp_path / "a.zip").write_bytes(inner)
    code, where, _ = found(tmp_path)
    assert code == 1 and where == {"a.zip!/three.zip!/two.zip!/key"}
    (tmp_path / "a.zip").write_bytes(zipped({"four.zip": inner}))
    code, where, err = found(tmp_path)
    assert (code, where) == (3, set()) and "nested deeper than 3" in err


def test_lines_are_counted_in_the_member(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"a": "\n" * 9 + leaks.openai_key()}))
    _, report, _ = leaks.scan(tmp_path, "--archives")
    assert [(f["line"], f["column"]) for f in report["findings"]] == [(10, 1)]


def test_a_key_is_found_deep_in_a_large_member(tmp_path):
    big = b"0123456789abcde\n" * 1_500_000
    data = big + text().encode() + big
    (tmp_path / "a.zip").write_bytes(zipped({"big": data}))
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(tarred({"big": data}), 1))
    code, where, err = found(tmp_path)
    assert code == 1 and where == {"a.zip!/big", "a.tar.gz!/big"}, err


def bomb(size=300):
    """A zip of a member that unpacks to `size` MiB, stored a hundred times over (the members overlap)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(b"\0" * (size << 20)) + packer.flush()
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, 0, len(packed), size << 20, 1, 0) + b"a"
    entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 0, 0, len(packed), size << 20,
                        1, 0, 0, 0, 0, 0, 0) + b"a"  # fmt: skip
    directory = entry * 100
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 100, 100, len(directory), len(local) + len(packed), 0)
    return local + packed + directory + end


def test_a_bomb_is_stopped_and_the_rest_is_scanned(tmp_path):
    (tmp_path / "bomb.zip").write_bytes(bomb())
    (tmp_path / "z").write_text(text())
    code, where, err = found(tmp_path)
    assert code == 3 and where == {"z"} and "bomb.zip" in err and "unpacks to more than" in err


def test_broken_archives_are_named(tmp_path):
    good = zipped({"a": text(), "b": text("b")})
    tar = tarred({"a": text(), "b": text("b")})
    cases = {
        "cut.zip": good[:-40], "cut.gz": gzip.compress(text().encode())[:-20], "cut.tar": tar[:1600],
        "cut.zst": zstandard.compress(text().encode() * 100)[:-9],
        "empty.zip": b"PK\x05\x06" + b"\xff" * 18,
        "lies.zip": good.replace(struct.pack("<I", 0x02014B50), b"PK\1\0"),
    }  # fmt: skip
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
    code, _, err = found(tmp_path)
    assert code == 3
    for name in cases:
        assert f"{name}" in err, name


def test_an_encrypted_member_is_named_and_the_others_are_scanned(tmp_path):
    data = bytearray(zipped({"a": text("a"), "b": text("b")}))
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    (tmp_path / "a.zip").write_bytes(bytes(data))
    code, where, err = found(tmp_path)
    assert code == 3 and where == {"a.zip!/b"} and "encrypted" in err


def test_names_lead_nowhere(tmp_path):
    names = ["../../etc/passwd", "/etc/passwd", "a\nb", "..\\x"]
    (tmp_path / "t").mkdir()
    (tmp_path / "t/a.tar").write_bytes(tarred({name: text() for name in names}))
    before = sorted(tmp_path.rglob("*"))
    code, where, _ = found(tmp_path / "t")
    assert code == 1 and where == {f"a.tar!/{name}" for name in names}
    assert sorted(tmp_path.rglob("*")) == before
