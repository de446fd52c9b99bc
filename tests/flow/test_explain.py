"""What the gate would say to any request, what a key never needed, and where its routes and use are told."""

import rig


def explained(gate, key, *more):
    code, out, err = gate.run("explain", "--data", gate.data, "--key", key["id"], "--model", "gpt-4o-mini",
                              "--endpoint", "chat", *more, "--json")  # fmt: skip
    assert code in (0, 1), err
    return rig.json.loads(out)


def test_tools_tier_and_choices_are_explained_as_the_gate_decides_them(shared):
    gate = shared
    key = gate.key("--tool", "function:look*", "--max-tier", "standard", "--max-choices", "2")
    asked = {
        ("--tool", "function:look_up"): {"tools": [{"type": "function", "function": {"name": "look_up"}}]},
        ("--tool", "function:other"): {"tools": [{"type": "function", "function": {"name": "other"}}]},
        ("--tier", "priority"): {"service_tier": "priority"},
        ("--tier", "flex"): {"service_tier": "flex"},
        ("--n", "2"): {"n": 2},
        ("--n", "3"): {"n": 3},
    }
    allowed = []
    for words, more in asked.items():
        said = explained(gate, key, *words)
        status = rig.ask(gate, "openai", key["key"], **more)[0]
        assert said["allowed"] == (status == 200), (words, said, status)
        assert said["allowed"] or status == 403, (words, status)
        allowed.append(said["allowed"])
    assert allowed == [True, False, False, True, True, False]
    code, _, err = gate.run("explain", "--data", gate.data, "--key", key["id"], "--model", "m", "--endpoint",
                            "chat", "--n", "129")  # fmt: skip
    assert code == 2 and "n" in err


def test_rates_are_told_with_what_is_used_of_them(shared):
    gate = shared
    key = gate.key("--rpm", "5", "--tpm", "100000", "--concurrency", "3")
    for _ in range(2):
        assert rig.ask(gate, "openai", key["key"])[0] == 200
    rows = {row["rule"]: row["why"] for row in explained(gate, key)["rules"]}
    assert "5 requests a minute and has used 2" in rows["limits.rpm"], rows
    assert "100000 tokens a minute and has used" in rows["limits.tpm"], rows
    assert "3 requests in flight" in rows["limits.concurrency"], rows


def test_a_suggestion_looks_at_rates_tools_and_tier(shared):
    gate = shared
    key = gate.key("--rpm", "500")
    for _ in range(3):
        assert rig.ask(gate, "openai", key["key"])[0] == 200

    def suggested():
        said = gate.cli("key", "suggest", "--data", gate.data, key["id"], "--json")
        return said if said["requests"] == 3 else None

    said = rig.until(suggested)
    found = {one["field"]: one for one in said["findings"]}
    assert found["rpm"]["allowed"] == 500 and 2 <= found["rpm"]["suggested"] <= 3
    # What is held of tokens a minute is the most a request may take, which its use does not tell.
    assert "tpm" not in found and "--tpm" not in said["command"]
    assert "not on record" in found["tools"]["why"] and "not on record" in found["max_tier"]["why"]
    assert "--rpm" in said["command"]


def test_the_use_of_a_key_includes_the_keys_below_it(shared):
    gate = shared
    parent = gate.key()
    child = gate.cli("key", "create", "--data", gate.data, "--parent", parent["id"], "--name", "below",
                     "--json")  # fmt: skip
    for key in (parent, child):
        assert rig.ask(gate, "openai", key["key"])[0] == 200

    def rows():
        found = gate.cli("usage", "--data", gate.data, "--key", parent["id"], "--json")["rows"]
        return {row["key"] for row in found} if len(found) == 2 else None

    assert rig.until(rows) == {parent["id"], child["id"]}


def test_the_routes_of_keys_stand_in_the_table_and_in_the_openapi_document(shared):
    gate = shared
    wanted = {("GET", "/claviger/v1/keys"), ("POST", "/claviger/v1/keys"),
              ("GET", "/claviger/v1/keys/{key}"), ("DELETE", "/claviger/v1/keys/{key}")}  # fmt: skip
    rows = gate.cli("routes", "--json")["routes"]
    assert wanted <= {(row["method"], row["path"]) for row in rows if row["served"]}
    paths = rig.get(gate.admin + "/api/v1/openapi.json", gate.owner_token())[1]["paths"]
    for method, path in wanted:
        assert paths[path][method.lower()]["security"] == [{"virtualKey": []}], path
