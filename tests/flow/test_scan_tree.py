"""claviger scan of folders and files: what is found, what is read, what is left alone, and how it ends."""

import os
import socket
import stat
import subprocess

import pytest

import leaks

FIELDS = {
    "rule", "provider", "severity", "file", "line", "column", "end_line", "commit", "author", "email", "date",
    "secret_sha256", "redacted", "validated", "known",
}  # fmt: skip


def test_an_empty_folder_and_an_empty_file_hold_nothing(tmp_path):
    code, report, _ = leaks.scan(tmp_path)
    assert (code, report["findings"]) == (0, [])
    assert set(report["stats"]) == {"bytes", "blobs", "files", "seconds", "errors"}
    (tmp_path / "empty").touch()
    code, report, _ = leaks.scan(tmp_path / "empty")
    assert (code, report["stats"]["files"], report["stats"]["bytes"]) == (0, 1, 0)


def test_a_finding_says_where_and_which_and_not_the_secret(tmp_path):
    key = leaks.openai_key()
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.py").write_text(f"import os\n\nkey = '{key}'\n")
    code, out, err = leaks.run("scan", tmp_path, "--format", "json")
    assert code == 1 and key not in out + err
    code, report, _ = leaks.scan(tmp_path)
    (finding,) = report["findings"]
    assert set(finding) == FIELDS
    place = tuple(finding[field] for field in ("file", "line", "column", "end_line"))
    assert place == ("src/app.py", 3, 8, 3)
    assert (finding["provider"], finding["secret_sha256"]) == ("openai", leaks.sha256(key))
    assert finding["commit"] is None and finding["known"] is None
    assert report["stats"]["files"] == 1 and report["stats"]["errors"] == 0


def test_reveal_shows_the_secret_only_when_asked(tmp_path):
    key = leaks.openai_key()
    (tmp_path / "a").write_text(key)
    _, report, _ = leaks.scan(tmp_path, "--reveal")
    assert report["findings"][0]["secret"] == key
    for format in ("sarif", "gitlab", "junit"):
        _, out, err = leaks.run("scan", tmp_path, "--reveal", "--format", format)
        assert key not in out + err, format


def test_a_file_given_as_path_is_scanned(tmp_path):
    path = tmp_path / "one.txt"
    path.write_text(f"x\n{leaks.openai_key()}\n")
    code, report, _ = leaks.scan(path)
    assert code == 1 and report["findings"][0]["file"] == str(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    assert leaks.scan(link)[0] == 1  # the user named it


def test_what_git_ignores_is_scanned_and_git_itself_is_not(tmp_path):
    leaks.git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text(".env\n")
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={leaks.openai_key('env')}\n")
    (tmp_path / ".git/description").write_text(leaks.openai_key("inside"))
    code, report, err = leaks.scan(tmp_path)
    assert code == 1 and [finding["file"] for finding in report["findings"]] == [".env"]
    assert "1 .git left out" in err


def test_a_token_in_the_url_of_a_remote_is_found(tmp_path):
    leaks.git(tmp_path, "init", "-q")
    leaks.git(tmp_path, "remote", "add", "origin", f"https://bob:{leaks.openai_key()}@git.acme.io/app.git")
    code, report, _ = leaks.scan(tmp_path)
    assert code == 1 and [finding["file"] for finding in report["findings"]] == [".git/config"]


def test_links_and_special_files_are_counted_and_never_opened(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text(leaks.openai_key())
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file-link").symlink_to(outside / "secret")
    (tree / "folder-link").symlink_to(outside)
    (tree / "loop").symlink_to(tree)
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tree / "sock"))
        code, report, err = leaks.scan(tree)
    assert (code, report["findings"], report["stats"]["files"]) == (0, [], 0)
    assert "3 symbolic links not followed" in err and "2 no regular files" in err


def test_names_that_would_break_a_report_do_not(tmp_path):
    name = "new\nline \x1b[31m\t\"quoted\" \u00e9"
    (tmp_path / name).write_text(leaks.openai_key())
    raw = os.fsencode(tmp_path) + b"/bad\xff"
    with open(raw, "w") as file:
        file.write(leaks.openai_key("raw"))
    code, report, _ = leaks.scan(tmp_path)
    assert code == 1 and {finding["file"] for finding in report["findings"]} == {name, "bad\ufffd"}
    _, out, err = leaks.run("scan", tmp_path)
    assert "\x1b" not in out + err and "new\\nline" in out


def test_one_finding_a_place_in_the_order_of_places(tmp_path):
    first, second = leaks.openai_key("1"), leaks.anthropic_key("2")
    (tmp_path / "b").write_text(f"{first}\n{second} {first}\n")
    (tmp_path / "a").write_text(f"{second}\n")
    code, report, _ = leaks.scan(tmp_path)
    places = [(f["file"], f["line"], f["column"]) for f in report["findings"]]
    assert places == sorted(places) and len(set(places)) == len(places) == 4


def test_a_key_is_found_at_every_seam_of_a_large_file(tmp_path):
    window = 8 * 1024 * 1024
    keys = []
    line = b"x" * 99 + b"\n"
    text = bytearray(line * (3 * window // 100))
    for place in (0, window - 90, window - 32 * 1024 - 400, window - 32 * 1024, window - 64 * 1024 - 100,
                  2 * window - 64 * 1024 - 50, len(text) - 200):  # fmt: skip
        key = leaks.openai_key(place)
        text[place : place + len(key) + 2] = b"\n" + key.encode() + b"\n"
        keys.append(key)
    (tmp_path / "large").write_bytes(text)
    code, report, _ = leaks.scan(tmp_path)
    assert code == 1
    lines = {leaks.sha256(key): text[: text.index(key.encode())].count(b"\n") + 1 for key in keys}
    assert {f["secret_sha256"]: f["line"] for f in report["findings"]} == lines
    assert report["stats"]["bytes"] == len(text)


def test_many_folders_and_threads_give_the_same_findings(tmp_path):
    for i in range(300):
        folder = tmp_path / f"{i % 7}" / f"{i}"
        folder.mkdir(parents=True)
        (folder / "a").write_text(f"{leaks.openai_key(i)}\n" if i % 3 == 0 else "nothing\n")
    reports = [leaks.scan(tmp_path, "--threads", threads)[1]["findings"] for threads in (1, 2, 5)]
    assert len(reports[0]) == 100 and reports[0] == reports[1] == reports[2]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_named_and_the_scan_says_so(tmp_path):
    (tmp_path / "closed").write_text("x")
    (tmp_path / "closed").chmod(0)
    code, report, err = leaks.scan(tmp_path)
    assert code == 3 and report["stats"]["errors"] == 1 and "closed" in err
    (tmp_path / "closed").chmod(stat.S_IRUSR)


def test_a_folder_too_deep_is_named_and_the_rest_is_scanned(tmp_path):
    (tmp_path / "a").write_text(leaks.openai_key())
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(2100):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    code, report, err = leaks.scan(tmp_path)
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # pytest's own cleaning recurses
    assert code == 3 and len(report["findings"]) == 1 and "nested deeper than 2000" in err


def test_usage_errors_end_with_2_and_missing_paths_with_3(tmp_path):
    for arguments in (("--format", "xml"), ("--severity", "tiny"), ("--history", "--stdin"), ("--follow",),
                      ("--redact",), ("--report",), ("--rule", "no-such-rule"), ("--nonsense",),
                      ("--since", "2026-01-01", "--staged"), ("--baseline", "/nowhere")):  # fmt: skip
        assert leaks.run("scan", tmp_path, *arguments)[0] == 2, arguments
    code, _, err = leaks.run("scan", tmp_path / "nowhere")
    assert code == 3 and "nowhere" in err


def test_a_configuration_that_cannot_be_read_is_no_clean_scan(tmp_path):
    config = tmp_path / "rules.toml"
    config.write_text("this is no toml [")
    code, out, err = leaks.run("scan", tmp_path, "--config", config)
    assert code in (2, 3) and not out and err


def test_only_the_rules_and_severities_asked_for_are_reported(tmp_path):
    (tmp_path / "a").write_text(f"{leaks.openai_key()}\n{leaks.anthropic_key()}\n")
    _, report, _ = leaks.scan(tmp_path)
    rule = next(f["rule"] for f in report["findings"] if f["provider"] == "openai")
    _, report, _ = leaks.scan(tmp_path, "--rule", rule)
    assert {f["rule"] for f in report["findings"]} == {rule}


def test_text_groups_by_secret_and_says_what_to_do(tmp_path):
    key = leaks.openai_key()
    for name in "ab":
        (tmp_path / name).write_text(f"{key}\n")
    code, out, err = leaks.run("scan", tmp_path)
    assert code == 1 and key not in out + err
    assert "1 secret in 2 places" in out and "a:1:1" in out and "b:1:1" in out and "next:" in out
    assert "\x1b" not in out
    assert "2 files" in err and "2 findings" in err


def test_the_rules_are_listed_and_pass_their_own_examples():
    code, out, _ = leaks.run("scan", "rules", "--json")
    assert code == 0 and '"id"' in out
    code, out, err = leaks.run("scan", "rules", "test")
    assert code == 0, out + err
