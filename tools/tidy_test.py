"""Each rule of tidy.py fails on a planted breach, and stays quiet on the form that is right."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import tidy  # noqa: E402

LAYERS = """# Which folder may include which.
0  base
1  wire net
2  vault
3  gate
4  app
gate: world request forward serve
wall  net/          gate/request app
wall  boost/asio openssl/ssl net
wall  SecretAccess  base/secret vault
"""
FIRST = "// Says in one sentence what this is.\n"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "layers.txt").write_text(LAYERS)

    def put(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return tmp_path

    put.root = tmp_path
    return put


def breaches(root):
    return [(b.path, b.line, b.rule) for b in tidy.Tidy(root).run()]


def rules(root):
    return {b.rule for b in tidy.Tidy(root).run()}


@pytest.mark.parametrize(
    "file, include, rule",
    [
        ("src/base/a.cpp", "wire/b.hpp", "layer"),  # upwards
        ("src/wire/a.cpp", "net/b.hpp", "layer"),  # a sibling of the same layer
        ("src/wire/a_test.cpp", "net/b.hpp", "layer"),  # tests obey layers too
        ("src/wire/a.cpp", "b.hpp", "layer"),  # not written "folder/file.hpp"
        ("src/gate/world.cpp", "gate/forward.hpp", "room"),
        ("src/gate/request_head.cpp", "gate/serve.hpp", "room"),  # a split room keeps its place
        ("src/gate/kitchen.cpp", "gate/world.hpp", "room"),  # no such room
        ("src/gate/forward.cpp", "net/stream.hpp", "wall"),
    ],
)
def test_a_forbidden_include_is_found(tree, file, include, rule):
    root = tree(file, f'{FIRST}#include "{include}"\n')
    assert (file, 2, rule) in breaches(root)


@pytest.mark.parametrize(
    "file, include",
    [
        ("src/wire/a.cpp", "base/b.hpp"),
        ("src/wire/a.cpp", "wire/b.hpp"),
        ("src/net/a.cpp", "net/b.hpp"),
        ("src/gate/forward.cpp", "gate/request.hpp"),
        ("src/gate/forward_stream.cpp", "gate/forward.hpp"),
        ("src/gate/serve.cpp", "gate/forward.hpp"),
        ("src/gate/world_test.cpp", "gate/forward.hpp"),  # a test may drive the rooms behind its own
        ("src/gate/request.cpp", "net/stream.hpp"),
        ("src/app/main.cpp", "net/loop.hpp"),
    ],
)
def test_an_allowed_include_passes(tree, file, include):
    assert breaches(tree(file, f'{FIRST}#include "{include}"\n')) == []


def test_a_folder_that_no_layer_names_is_found(tree):
    assert breaches(tree("src/other/a.cpp", FIRST)) == [("src/other/a.cpp", 1, "layer")]


def test_a_library_behind_a_wall_is_found(tree):
    root = tree("src/wire/a.cpp", f"{FIRST}#include <boost/asio/buffer.hpp>\n#include <openssl/ssl.h>\n")
    assert [(line, rule) for _, line, rule in breaches(root)] == [(2, "wall"), (3, "wall")]


def test_a_walled_type_is_found_in_code_but_not_in_comments(tree):
    tree("src/net/quiet.cpp", FIRST + "// SecretAccess is not for us.\n")
    assert breaches(tree.root) == []
    tree("src/net/loud.cpp", FIRST + "void f(const SecretAccess& access);\n")
    tree("src/vault/owner.cpp", FIRST + "void f(const SecretAccess& access);\n")
    assert breaches(tree.root) == [("src/net/loud.cpp", 2, "wall")]


def test_walls_with_one_space_between_names_and_owners_are_read():
    layers = tidy.read_layers(LAYERS)
    assert [(w.names, w.owners) for w in layers.walls] == [
        (["net/"], ["gate/request", "app"]),
        (["boost/asio", "openssl/ssl"], ["net"]),
        (["SecretAccess"], ["base/secret", "vault"]),
    ]


def test_an_unreadable_line_of_layers_is_refused():
    with pytest.raises(ValueError):
        tidy.read_layers("zero base\n")


@pytest.mark.parametrize(
    "name, text",
    [
        ("src/base/a.cpp", "#include <string>\n"),
        ("src/base/a.cpp", "// short\n"),
        ("src/base/a.cpp", ""),
        ("tools/a.py", "import sys\n"),
        ("dev", "#!/usr/bin/env bash\nset -e\n"),
    ],
)
def test_a_file_that_does_not_say_what_it_is_for_is_found(tree, name, text):
    assert rules(tree(name, text)) == {"first-line"}


@pytest.mark.parametrize(
    "name, text",
    [
        ("tools/a.py", '"""Says in one sentence what this is."""\n'),
        ("dev", "#!/usr/bin/env bash\n# Says in one sentence what this is.\n"),
        ("cmake/a.cmake", "# Says in one sentence what this is.\n"),
    ],
)
def test_first_lines_of_scripts_pass(tree, name, text):
    assert breaches(tree(name, text)) == []


@pytest.mark.parametrize(
    "name, most",
    [
        ("src/base/a.cpp", 500),
        ("src/base/a.hpp", 200),
        ("src/base/a_test.cpp", 800),
        ("tests/flow/a.py", 800),
    ],
)
def test_a_file_that_is_too_long_is_found(tree, name, most):
    first = FIRST if not name.endswith(".py") else '"""Says in one sentence what this is."""\n'
    assert breaches(tree(name, first + "\n" * (most - 1))) == []
    assert breaches(tree(name, first + "\n" * most)) == [(name, most + 1, "size")]


def test_a_line_that_is_too_wide_is_found(tree):
    assert breaches(tree("src/base/a.cpp", FIRST + "//" + "x" * 108 + "\n")) == []
    assert breaches(tree("src/base/a.cpp", FIRST + "//" + "x" * 109 + "\n")) == [
        ("src/base/a.cpp", 2, "columns")
    ]


@pytest.mark.parametrize(
    "head",
    [
        "int f(int a)",
        "Task<void> Foo::bar(int a) const noexcept",
        "auto f() -> std::vector<int>",
        "TEST(Foo, bars)",
        "Foo::Foo(int a) : a_(a), b_{a}",
        "template <class T>\nT f(T a)",
    ],
)
def test_a_function_that_is_too_long_is_found(tree, head):
    own = head.count("\n") + 2  # its head's lines and the closing one
    body = "  a();\n"
    fits = f"{FIRST}namespace x {{\n{head} {{\n{body * (70 - own)}}}\n}}  // namespace x\n"
    assert breaches(tree("src/base/a.cpp", fits)) == []
    over = f"{FIRST}namespace x {{\n{head} {{\n{body * (71 - own)}}}\n}}  // namespace x\n"
    assert breaches(tree("src/base/a.cpp", over)) == [("src/base/a.cpp", 3, "function")]


def test_a_method_that_is_too_long_is_found_inside_its_class(tree):
    text = (
        FIRST
        + "class A final : public B {\n public:\n  int f() {\n"
        + "    a();\n" * 69
        + "  }\n  int x = 3;\n};\n"
    )
    assert breaches(tree("src/base/a.cpp", text)) == [("src/base/a.cpp", 4, "function")]


def test_a_long_class_or_table_is_no_long_function(tree):
    text = (
        FIRST
        + "struct A {\n"
        + "  int a = 0;\n" * 80
        + "};\nconst int kTable[] = {\n"
        + "  1,\n" * 80
        + "};\n"
    )
    assert breaches(tree("src/base/a.cpp", text)) == []


def test_a_python_function_that_is_too_long_is_found(tree):
    text = '"""Says in one sentence what this is."""\ndef f():\n' + "    a()\n" * 70
    assert breaches(tree("tools/a.py", text)) == [("tools/a.py", 2, "function")]


@pytest.mark.parametrize(
    "statement",
    [
        "co_await f(Foo{1});",
        "auto x = co_await f(a ? b : c);",
        "co_await on_worker([&] { work(); });",
        "co_await on_worker([this](int a) { work(a); });",
        "co_await on_worker([x = std::move(y)] { work(x); });",
        "if (auto x = co_await f({1, 2}); x) {\n    g();\n  }",
        "return_to(co_await f(),\n            Foo{3});",
        "while (co_await more() ? a : b) g();",
    ],
)
def test_a_coroutine_statement_that_gcc_miscompiles_is_found(tree, statement):
    text = f"{FIRST}Task<void> f() {{\n  a();\n  {statement}\n  b();\n}}\n"
    assert rules(tree("src/base/a.cpp", text)) == {"coroutine"}


@pytest.mark.parametrize(
    "statement",
    [
        "co_await f(a);",
        "Foo foo{1};\n  co_await f(std::move(foo));",
        'auto x = co_await f(table[3], "{?[&]");',
        "if (co_await f()) {\n    g();\n  }",
        "if (!co_await f()) g(foo);",
        "if (a) {\n    co_await f();\n  } else {\n    co_await g();\n  }",
        "for (int i = 0; i < 3; ++i) {\n    co_await f(i);\n  }",
        "while (true) {\n    auto x = co_await f();\n    if (x ? a : b) break;\n  }",
        "switch (x) {\n    case 1: {\n      co_await f();\n    }\n  }",
        "auto g = []() -> Task<void> {\n    co_await f();\n  };",
        "// co_await f(Foo{1});",
    ],
)
def test_a_right_coroutine_statement_passes(tree, statement):
    text = f"{FIRST}Task<void> f() {{\n  a();\n  {statement}\n  b();\n}}\n"
    assert breaches(tree("src/base/a.cpp", text)) == []


@pytest.mark.parametrize(
    "head",
    [
        "const Row& row : store.rows(a, b).value()",
        "const Row& row : rows().value().front().columns",
        "const Row& row : *journal.list()",
        "const Row& row : *co_await ask(a)",
        "const auto& [name, value] : parse(text)->members",
        "int i = 0; const Row& row :\n         rows(i).value()",
    ],
)
def test_a_loop_over_the_inside_of_what_its_head_lets_go_is_found(tree, head):
    text = f"{FIRST}void f() {{\n  for ({head}) g(row);\n}}\n"
    assert breaches(tree("src/base/a.cpp", text)) == [("src/base/a.cpp", 3, "loop")]


@pytest.mark.parametrize(
    "head",
    [
        "const auto rows = list().value(); const Row& row : rows",
        "const Row& row : rows.value()",
        "const Row& row : *rows",
        "const Row& row : list()",
        "const Row& row : list().rows",  # a member of what is kept is kept
        "const Row& row : sorted(list().value())",
        "const Row& row : std::move(rows).value()",
        "const Row& row : (rows).value()",
        "const toml::node& row : *node->as_array()",
        "const Row& row : rows->front().columns",
        "auto it = list().value(); it != end; ++it",
        "bool more = a ? b() : c().value(); more; more = next()",
        'const char c : "*f().value()"',
    ],
)
def test_a_loop_over_what_lasts_passes(tree, head):
    text = f"{FIRST}void f() {{\n  for ({head}) g(row);\n}}\n"
    assert breaches(tree("src/base/a.cpp", text)) == []


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "XX" + "X"])
def test_a_leftover_is_found(tree, word):
    assert breaches(tree("src/base/a.cpp", f"{FIRST}// {word}: later\n")) == [
        ("src/base/a.cpp", 2, "leftover")
    ]


def test_a_banner_is_found(tree):
    assert breaches(tree("src/base/a.cpp", FIRST + "// " + "-" * 9 + "\n")) == [
        ("src/base/a.cpp", 2, "banner")
    ]


def test_an_error_that_no_test_provokes_is_found(tree):
    tree(
        "src/base/errors.def",
        '// Every way to say no.\nCLAVIGER_ERROR(bad, 400, never, "")\n'
        'CLAVIGER_ERROR(worse, 400, never, "")\n',
    )
    tree("src/base/a.cpp", FIRST + "// bad worse\n")
    tree("src/base/a_test.cpp", FIRST + "// bad\n")
    assert breaches(tree.root) == [("src/base/errors.def", 3, "unprovoked")]
    tree("tests/flow/a.py", '"""Provokes what the unit tests cannot: worse."""\n')
    assert breaches(tree.root) == []


def test_what_others_wrote_is_not_looked_at(tree):
    assert breaches(tree("tests/flow/node_modules/x/a.mjs", "TO" + "DO\n")) == []


def test_the_program_prints_breaches_and_exits_with_one(tree):
    root = tree("src/base/a.cpp", "int a;\n")
    program = [sys.executable, tidy.__file__, "--root", str(root)]
    ended = subprocess.run(program, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stdout.startswith("src/base/a.cpp:1: first-line: ")
    tree("src/base/a.cpp", FIRST)
    assert subprocess.run(program, capture_output=True, text=True).returncode == 0


def test_a_bound_without_a_row_and_a_row_without_its_test_are_found(tree):
    tree(
        "src/base/limits.hpp",
        FIRST + "#pragma once\ninline constexpr std::size_t kOne = 1;\ninline constexpr int kTwo =\n    2;\n"
        "inline constexpr int kThree = 3;\n",
    )
    tree("src/base/a_test.cpp", FIRST + "// TEST(A, stands_at_its_edge)\n")
    rows = "# Bounds.\nkOne src/base/a_test.cpp stands_at_its_edge\nkTwo - memory that is kept\n"
    tree("tests/bounds.txt", rows)
    assert breaches(tree.root) == [("src/base/limits.hpp", 1, "bound")]
    tree(
        "tests/bounds.txt",
        "kOne src/base/a_test.cpp no_such_test\nkTwo -\nkThree ? owed\nkFour src/base/a_test.cpp TEST\n",
    )
    assert [number for _, number, _ in breaches(tree.root)] == [1, 2, 3, 4]
