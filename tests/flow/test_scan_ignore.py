"""Accepted findings: bound to the secret itself, the same in every mode, reported when they rot."""

import hashlib
import json

import leaks


def accept(folder, place, *options, reason="revoked test key"):
    code, out, err = leaks.run("scan", "ignore", "add", folder / place, "--reason", reason, "--author",
                               "ada@example.test", *options)  # fmt: skip
    assert code == 0, err
    return out + err


def test_an_accepted_secret_is_ignored_wherever_it_stands_and_no_other(tmp_path):
    key = leaks.openai_key()
    (tmp_path / "a").write_text(f"{key}\n")
    said = accept(tmp_path, "a:1")
    assert key not in said
    assert key not in (tmp_path / ".claviger-ignore").read_text()
    assert leaks.sha256(key)[:32] not in (tmp_path / ".claviger-ignore").read_text()
    assert leaks.scan(tmp_path)[:2][0] == 0
    (tmp_path / "b").write_text(f"moved\n\n\n{key}\n")
    code, _, err = leaks.scan(tmp_path)
    assert code == 0 and "2 ignored" in err
    assert leaks.run("scan", "--stdin", stdin=key, cwd=tmp_path)[0] == 0
    (tmp_path / "a").write_text(f"{leaks.openai_key('other')}\n")  # another secret on the ignored line
    code, report, _ = leaks.scan(tmp_path)
    assert code == 1 and [f["file"] for f in report["findings"]] == ["a"]


def test_entries_are_sorted_lines_and_two_branches_merge(tmp_path):
    leaks.git(tmp_path, "init", "-q", "-b", "main")
    for name in "abcdef":
        (tmp_path / name).write_text(leaks.openai_key(name) + "\n")
    accept(tmp_path, "a:1")
    leaks.git(tmp_path, "add", "-A")
    leaks.git(tmp_path, "commit", "-qm", "base")
    for branch, names in (("one", "bc"), ("two", "de")):
        leaks.git(tmp_path, "checkout", "-qb", branch, "main")
        for name in names:
            accept(tmp_path, f"{name}:1")
        leaks.git(tmp_path, "commit", "-qam", branch)
    leaks.git(tmp_path, "merge", "-q", "-m", "merged", "one")
    code, report, _ = leaks.scan(tmp_path)
    assert [f["file"] for f in report["findings"]] == ["f"]
    accept(tmp_path, "f:1")  # the next writing drops a line that git's union merge left twice
    lines = (tmp_path / ".claviger-ignore").read_text().splitlines()
    entries = [line for line in lines if not line.startswith(("#", "key "))]
    assert len(entries) == 6 and entries == sorted(entries)
    assert all(" ada@example.test revoked test key" in line for line in entries)


def test_branches_that_each_made_the_file_merge_too(tmp_path):
    leaks.git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / ".gitattributes").write_text(".claviger-ignore merge=union\n")
    for name in "ab":
        (tmp_path / name).write_text(leaks.openai_key(name) + "\n")
    leaks.git(tmp_path, "add", "-A")
    leaks.git(tmp_path, "commit", "-qm", "base")
    for branch, name in (("one", "a"), ("two", "b")):
        leaks.git(tmp_path, "checkout", "-qb", branch, "main")
        accept(tmp_path, f"{name}:1")
        leaks.git(tmp_path, "add", "-A")
        leaks.git(tmp_path, "commit", "-qm", branch)
    leaks.git(tmp_path, "merge", "-q", "-m", "merged", "one")
    assert leaks.scan(tmp_path)[0] == 0


def test_expired_stale_and_unaudited_entries_are_told(tmp_path):
    (tmp_path / "a").write_text(leaks.openai_key("a") + "\n")
    (tmp_path / "b").write_text(leaks.openai_key("b") + "\n")
    accept(tmp_path, "a:1", "--expires", "2020-01-01")
    accept(tmp_path, "b:1")
    code, report, err = leaks.scan(tmp_path)
    assert [f["file"] for f in report["findings"]] == ["a"] and "1 entry in .claviger-ignore expired" in err
    (tmp_path / "b").write_text("gone\n")
    assert "stale ignore" in leaks.scan(tmp_path)[2]
    path = tmp_path / ".claviger-ignore"
    path.write_text(path.read_text().replace("revoked test key", "-"))
    assert "2 entries in .claviger-ignore without a reason" in leaks.scan(tmp_path)[2]


def test_a_file_that_cannot_be_read_is_no_licence(tmp_path):
    (tmp_path / "a").write_text(leaks.openai_key() + "\n")
    accept(tmp_path, "a:1")
    path = tmp_path / ".claviger-ignore"
    good = path.read_text()
    short = good + "deadbeef rule never me reason\n"
    for bad in ("<<<<<<< HEAD\n" + good, short, good.replace("key ", "# key ")):
        path.write_text(bad)
        code, out, err = leaks.run("scan", tmp_path)
        assert code in (2, 3) and ".claviger-ignore" in err and not out


def test_the_file_itself_is_no_finding(tmp_path):
    for i in range(30):
        (tmp_path / f"f{i}").write_text(leaks.openai_key(i) + "\n")
        accept(tmp_path, f"f{i}:1")
    code, report, _ = leaks.scan(tmp_path)
    assert (code, report["findings"]) == (0, [])


def test_list_shows_who_and_why(tmp_path):
    (tmp_path / "a").write_text(leaks.openai_key() + "\n")
    accept(tmp_path, "a:1", "--expires", "2099-01-31")
    code, out, _ = leaks.run("scan", "ignore", "list", tmp_path, "--json")
    (entry,) = json.loads(out)["ignores"]
    assert code == 0 and entry["author"] == "ada@example.test" and entry["expires"] == "2099-01-31"
    assert leaks.run("scan", "ignore", "add", tmp_path / "a:2", "--reason", "x")[0] == 1


def test_a_gitleaks_report_is_a_baseline_by_content(tmp_path):
    key = leaks.openai_key()
    (tmp_path / "a.py").write_text(f"key = '{key}'\n")
    baseline = tmp_path / "gitleaks.json"
    entry = {"RuleID": "openai-api-key", "Secret": key, "File": "old.py", "StartLine": 7, "Commit": ""}
    baseline.write_text(json.dumps([entry]))
    tree = tmp_path / "t"
    tree.mkdir()
    (tree / "a.py").write_text(f"\n\nkey = '{key}'\n")
    code, _, err = leaks.scan(tree, "--baseline", baseline)
    assert code == 0 and "1 in the baseline" in err
    (tree / "a.py").write_text(leaks.openai_key("new"))
    assert leaks.scan(tree, "--baseline", baseline)[0] == 1


def test_places_of_gitleaksignore_and_redacted_reports_cover_a_place_and_say_so(tmp_path):
    (tmp_path / "a.py").write_text(f"\nkey = '{leaks.openai_key()}'\n")
    ignore = tmp_path / ".gitleaksignore"
    ignore.write_text("# known\na.py:openai-api-key:2\n0123456789abcdef0123456789abcdef01234567:b.py:r:1\n")
    code, _, err = leaks.scan(tmp_path, "--baseline", ignore)
    assert code == 0 and "name a place only" in err
    (tmp_path / "a.py").write_text(f"\n\nkey = '{leaks.openai_key()}'\n")
    assert leaks.scan(tmp_path, "--baseline", ignore)[0] == 1


def test_detect_secrets_own_baseline_is_read(tmp_path):
    key = leaks.openai_key()
    (tmp_path / "a.py").write_text(f"key = '{key}'\n")


    result = {"type": "Secret Keyword", "filename": "a.py", "line_number": 9, "is_verified": False}
    result["hashed_secret"] = hashlib.sha1(key.encode()).hexdigest()
    baseline = tmp_path / ".secrets.baseline"
    baseline.write_text(json.dumps({"version": "1.5.0", "results": {"a.py": [result]}}))
    assert leaks.scan(tmp_path / "a.py", "--baseline", baseline)[0] == 0
    result["hashed_secret"] = "0" * 40
    baseline.write_text(json.dumps({"version": "1.5.0", "results": {"a.py": [result]}}))
    assert leaks.scan(tmp_path / "a.py", "--baseline", baseline)[0] == 1


def test_our_own_report_is_a_baseline_and_nonsense_is_refused(tmp_path):
    (tmp_path / "a").write_text(leaks.openai_key())
    report = tmp_path / "report.json"
    leaks.run("scan", tmp_path / "a", "--format", "json", "--output", report)
    assert leaks.scan(tmp_path / "a", "--baseline", report)[0] == 0
    for bad in ("{}", "[1]", "what is this", '{"findings":[{}]}'):
        report.write_text(bad)
        assert leaks.run("scan", tmp_path / "a", "--baseline", report)[0] in (2, 3), bad


def test_comments_of_three_tools_are_honoured_and_counted(tmp_path):
    comments = ("claviger:allow", "gitleaks:allow", "pragma: allowlist secret")
    text = "".join(f"k = '{leaks.openai_key(c)}'  # {c}\n" for c in comments)
    (tmp_path / "a.py").write_text(text)
    code, _, err = leaks.scan(tmp_path)
    assert code == 0 and "3 allowed by comments" in err


