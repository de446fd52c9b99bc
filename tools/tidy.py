#!/usr/bin/env python3
"""The project's linter: layers, walls, sizes, first lines, what g++ 12 gets wrong, provoked errors."""

import argparse
import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from cpp_text import (
    Lines,
    coroutine_breaches,
    functions,
    strip_code,
    strip_preprocessor,
    walks_inside_a_temporary,
)

FUNCTION_LINES = 70
SOURCE_LINES = 500
HEADER_LINES = 200
TEST_LINES = 800
COLUMNS = 110

CPP = {".cpp", ".hpp", ".def"}
SCRIPTS = {".py", ".mjs", ".cmake", ".sh"}
ROOTS = ("src", "tests", "tools", "cmake", "bench", ".ci")
SKIPPED = {"node_modules", "corpus", "__pycache__", "seeded", "results"}
SIDE_FILE = re.compile(r"_(test|fuzz|bench)$")
LEFTOVER = re.compile(r"\b(FIX" + r"ME|XX" + r"X|TO" + r"DO)\b")
BANNER = re.compile(r"^\s*(//|#)\s*\S*\s*.*[-=*#/~]{6,}")


@dataclass(frozen=True)
class Breach:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


@dataclass
class Wall:
    names: list
    owners: list


@dataclass
class Layers:
    level: dict  # folder -> number
    rooms: dict  # folder -> its files in order
    walls: list


def read_layers(text):
    """Reads layers.txt. A wall's owners are its last words that name a folder of a layer or a file in one."""
    layers = Layers({}, {}, [])
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0].isdigit():
            layers.level.update({folder: int(words[0]) for folder in words[1:]})
        elif words[0].endswith(":"):
            layers.rooms[words[0][:-1]] = words[1:]
        elif words[0] == "wall":
            at = len(words)
            while at > 1 and not words[at - 1].endswith("/") and words[at - 1].split("/")[0] in layers.level:
                at -= 1
            layers.walls.append(Wall(words[1:at], words[at:]))
        else:
            raise ValueError(f"layers.txt: what is {line!r}?")
    return layers


class Tidy:
    """All rules over one checkout; `breaches` holds what was found."""

    def __init__(self, root):
        self.root = Path(root)
        self.layers = read_layers((self.root / "layers.txt").read_text())
        self.breaches = []

    def say(self, path, line, rule, message):
        self.breaches.append(Breach(str(path.relative_to(self.root)), line, rule, message))

    def files(self):
        for name in ROOTS:
            for path in sorted((self.root / name).rglob("*")):
                if path.is_file() and not SKIPPED & set(path.relative_to(self.root).parts):
                    if path.suffix in CPP | SCRIPTS or path.parent.name == ".ci":
                        yield path
        for name in ("dev", "CMakeLists.txt"):
            if (self.root / name).is_file():
                yield self.root / name

    def run(self):
        for path in self.files():
            text = path.read_text(errors="replace")
            self.check_first_line(path, text)
            self.check_lines(path, text)
            if path.suffix in CPP:
                code = strip_code(text)
                self.check_functions(path, code)
                self.check_coroutines(path, code)
                self.check_loops(path, code)
                if (self.root / "src") in path.parents:
                    self.check_includes(path, text, code)
            elif path.suffix == ".py":
                self.check_python_functions(path, text)
        self.check_errors_provoked()
        self.check_bounds()
        return self.breaches

    def check_first_line(self, path, text):
        lines = text.splitlines() or [""]
        at = 1 if lines[0].startswith("#!") else 0
        first = lines[at].strip() if len(lines) > at else ""
        words = re.sub(r'^(//+|#+|"{3})\s*', "", first)
        if words == first or len(words.split()) < 3:
            self.say(
                path, at + 1, "first-line", "the first line must say in one sentence what the file is for"
            )

    def check_lines(self, path, text):
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS and path.suffix != ".def":  # a table's rows stay whole
                self.say(path, number, "columns", f"{len(line)} columns, at most {COLUMNS}")
            if LEFTOVER.search(line):
                self.say(path, number, "leftover", "finish it or write an issue")
            if BANNER.match(line):
                self.say(path, number, "banner", "a banner; split the file instead")
        is_test = "tests" in path.relative_to(self.root).parts or re.search(r"_(test|fuzz|bench)$", path.stem)
        most = TEST_LINES if is_test else HEADER_LINES if path.suffix == ".hpp" else SOURCE_LINES
        if len(lines) > most:
            self.say(path, len(lines), "size", f"{len(lines)} lines, at most {most}: split by noun")

    def check_functions(self, path, code):
        code = strip_preprocessor(code)
        lines = Lines(code)
        for start, end in functions(code):
            length = lines.of(end) - lines.of(start) + 1
            if length > FUNCTION_LINES:
                self.say(path, lines.of(start), "function", f"{length} lines, at most {FUNCTION_LINES}")

    def check_python_functions(self, path, text):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = node.end_lineno - node.lineno + 1
                if length > FUNCTION_LINES:
                    self.say(path, node.lineno, "function", f"{length} lines, at most {FUNCTION_LINES}")

    def check_coroutines(self, path, code):
        code = strip_preprocessor(code)
        lines = Lines(code)
        for offset, what in coroutine_breaches(code):
            self.say(
                path,
                lines.of(offset),
                "coroutine",
                f"{what} in a statement with co_await: name it, then move it",
            )

    def check_loops(self, path, code):
        code = strip_preprocessor(code)
        lines = Lines(code)
        for offset in walks_inside_a_temporary(code):
            self.say(
                path,
                lines.of(offset),
                "loop",
                "walks over the inside of what its head lets go; write"
                " for (const auto all = f().value(); ... : all)",
            )

    def check_includes(self, path, text, code):
        place = path.relative_to(self.root / "src").with_suffix("")
        folder, stem = place.parts[0], SIDE_FILE.sub("", place.name)
        beside = SIDE_FILE.search(place.name) is not None
        level = self.layers.level.get(folder)
        if level is None or len(place.parts) != 2:
            self.say(path, 1, "layer", f"{place.parent} is not in layers.txt")
            return
        for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', text, re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 1
            target = match.group(2)
            if match.group(1) == '"':
                self.check_layer(path, line, folder, level, target)
                if not beside:
                    self.check_rooms(path, line, folder, stem, target)
            if not beside:
                self.check_walls(path, line, folder, stem, target)
        if not beside:
            self.check_walled_words(path, folder, stem, code)

    def check_layer(self, path, line, folder, level, target):
        other = target.split("/")[0]
        if "/" not in target or other not in self.layers.level:
            self.say(path, line, "layer", f'"{target}" is not written as "folder/file.hpp"')
        elif other != folder and self.layers.level[other] >= level:
            self.say(
                path,
                line,
                "layer",
                f"{folder} (layer {level}) may not include {other}" f" (layer {self.layers.level[other]})",
            )

    def room_of(self, folder, stem):
        """The room a file belongs to: its name, or the longest it begins with (forward_stream: forward)."""
        rooms = self.layers.rooms[folder]
        fitting = [r for r in rooms if stem == r or stem.startswith(r + "_")]
        return max(fitting, key=len) if fitting else None

    def check_rooms(self, path, line, folder, stem, target):
        other, _, file = target.partition("/")
        if other != folder or folder not in self.layers.rooms:
            return
        order = self.layers.rooms[folder]
        mine, theirs = self.room_of(folder, stem), self.room_of(folder, Path(file).stem)
        if mine is None or theirs is None:
            self.say(
                path, line, "room", f"{stem if mine is None else file} is no room of {folder} in layers.txt"
            )
        elif order.index(theirs) > order.index(mine):
            self.say(path, line, "room", f"{mine} comes before {theirs} and may not include it")

    def owns(self, wall, folder, stem):
        for owner in wall.owners:
            owner_folder, _, file = owner.partition("/")
            if owner_folder == folder and (not file or stem == file or stem.startswith(file + "_")):
                return True
        return any(folder == name.rstrip("/") for name in wall.names)

    def check_walls(self, path, line, folder, stem, target):
        for wall in self.layers.walls:
            for name in wall.names:
                if target.startswith(name) and not self.owns(wall, folder, stem):
                    self.say(path, line, "wall", f"only {', '.join(wall.owners)} may name {name}")

    def check_walled_words(self, path, folder, stem, code):
        for wall in self.layers.walls:
            for name in wall.names:
                if not re.fullmatch(r"[A-Z]\w+", name) or self.owns(wall, folder, stem):
                    continue
                match = re.search(rf"\b{name}\b", code)
                if match:
                    self.say(
                        path,
                        code.count("\n", 0, match.start()) + 1,
                        "wall",
                        f"only {', '.join(wall.owners)} may name {name}",
                    )

    def check_errors_provoked(self):
        table = self.root / "src/base/errors.def"
        if not table.is_file():
            return
        tested = set()
        for path in self.files():
            parts = path.relative_to(self.root).parts
            if SIDE_FILE.search(path.stem) or parts[0] == "tests":
                tested.update(re.findall(r"\w+", path.read_text(errors="replace")))
        for number, line in enumerate(table.read_text().splitlines(), 1):
            match = re.match(r"CLAVIGER_ERROR\((\w+)", line)
            if match and match.group(1) not in tested:
                self.say(table, number, "unprovoked", f"no test names {match.group(1)}")

    def check_bounds(self):
        """Every bound has a row in tests/bounds.txt, and every row the test that it names."""
        header, table = self.root / "src/base/limits.hpp", self.root / "tests/bounds.txt"
        if not header.is_file() or not table.is_file():
            return
        bounds = re.findall(r"constexpr[^;]*?\b(k[A-Z]\w*)\s*=", strip_code(header.read_text()))
        rows = set()
        for number, line in enumerate(table.read_text().splitlines(), 1):
            words = line.split("#")[0].split(maxsplit=2)
            if not words:
                continue
            if len(words) < 3 or words[0] in rows or words[0] not in bounds:
                self.say(table, number, "bound", f"{words[0]} is doubled, is no bound, or says no test")
            rows.add(words[0])
            if len(words) < 3 or words[1] == "-":
                continue
            test = self.root / words[1]
            if not test.is_file() or words[2] not in test.read_text():
                self.say(table, number, "bound", f"{words[1]} has no {words[2]}")
        for bound in bounds:
            if bound not in rows:
                self.say(header, 1, "bound", f"{bound} has no row in tests/bounds.txt: name its test")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=Path(__file__).resolve().parent.parent)
    breaches = Tidy(parser.parse_args(arguments).root).run()
    for breach in breaches:
        print(breach)
    if breaches:
        print(f"tidy: {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
