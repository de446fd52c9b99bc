"""Every method of the official SDKs, Python and Node, is known to the route table: served, or refused."""

import json
import re
import subprocess

import rig
import sdk_surface

# Named by an SDK for another service than the three whose protocols the gate speaks.
ELSEWHERE = re.compile(r"^/v1beta/x(/tuningJobs)?:")  # Vertex AI, under a project's location


def table():
    out = subprocess.run([rig.BIN, "routes", "--json"], capture_output=True, text=True, check=True).stdout
    return json.loads(out)["routes"]


def pattern(path):
    text = re.escape(path).replace(r"/\*\*", "(/.*)?")
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/:]+", text))


def row_of(operation, rows, dialect):
    """The row that decides about an operation: of its own dialect first, as the gate does it."""
    fitting = [
        row for row, path in rows if row["method"] == operation.method and path.fullmatch(operation.path)
    ]
    own = [row for row in fitting if row["dialect"] == dialect]
    return (own or fitting or [None])[0]


def surface():
    """(operation, row) for every method of the SDKs."""
    rows = [(row, pattern(row["path"])) for row in table()]
    for operation in sdk_surface.operations():
        if not ELSEWHERE.match(operation.path):
            dialect = next((d for d in ("openai", "anthropic") if d in operation.sdk), "gemini")
            yield operation, row_of(operation, rows, dialect)


def test_every_sdk_method_is_served_or_refused_and_none_is_unknown(tmp_path):
    found = list(surface())
    lines = [
        f"{o.sdk:26} {o.method:6} {o.path:64} {'served' if row and row['served'] else 'refused'}"
        for o, row in found
    ]
    (tmp_path / "sdk-surface.txt").write_text("\n".join(lines))
    unknown = [o for o, row in found if row is None]
    assert not unknown, unknown
    for sdk in {o.sdk for o, _ in found}:
        mine = [row for o, row in found if o.sdk == sdk]
        assert len(mine) > 50, f"the sources of {sdk} were not read"
        assert any(row["served"] for row in mine), sdk


def test_what_the_sdks_may_not_reach_is_refused():
    refused = {o.path for o, row in surface() if not row["served"]}
    for stem in ("/v1/organization", "/v1/files", "/v1/batches", "/v1/vector_stores", "/v1/containers",
                 "/v1/conversations", "/v1/videos", "/v1/realtime", "/v1/messages/batches",
                 "/v1beta/files", "/v1beta/cachedContents"):  # fmt: skip
        assert any(path.startswith(stem) for path in refused), stem
    for operation, row in surface():
        if "/organization" in operation.path:
            assert not row["served"], operation


def test_the_running_gate_says_the_same_as_the_table(fresh):
    """Each distinct method and path, asked with a good key that has no money: nothing goes upstream."""
    gate, sandbox = fresh()
    key = gate.key("--budget", "0usd/total")["key"]
    asked = {}
    for operation, row in surface():
        asked.setdefault((operation.method, operation.path, row["dialect"]), row)
    for (method, path, dialect), row in asked.items():
        headers = rig.auth(dialect, key) | {"content-type": "application/json"}
        status, _, body = rig.get_raw(gate, method, path, headers)
        assert 400 <= status < 500, (method, path, status, body)
        error = json.loads(body)["error"]
        refused = "is not served on this path" in error["message"] or status == 404
        assert not refused, (method, path, error)
        if not row["served"]:
            assert status == 403, (method, path, error)
            assert error["message"] == row["why"], (method, path, error)
    assert sandbox.received() == 0
