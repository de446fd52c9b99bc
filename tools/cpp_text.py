"""Reads C++ as far as the linter must: what is code, where functions, statements and loops lie."""

import bisect
import re


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def keep_quotes(match):
    text = match.group(0)
    return text if len(text) < 2 else text[0] + re.sub(r"[^\n]", " ", text[1:-1]) + text[-1]


TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"|(?P<raw>R\"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)\")"
    r"|(?P<string>\"(?:\\.|[^\"\\\n])*\")"
    r"|(?P<char>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')",
    re.DOTALL,
)


def strip_code(text):
    """The text with comments and the insides of strings blanked; every line and column stays in its place."""

    def put(match):
        return blank(match) if match.group("comment") else keep_quotes(match)

    return TOKEN.sub(put, text)


def strip_preprocessor(code):
    """Blanks preprocessor lines, with their continuations."""
    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", blank, code, flags=re.MULTILINE)


class Lines:
    """Line numbers of offsets in a text."""

    def __init__(self, text):
        self.starts = [0] + [m.end() for m in re.finditer("\n", text)]

    def of(self, offset):
        return bisect.bisect_right(self.starts, offset)


def matching(code, at, opening, closing):
    depth = 0
    for i in range(at, len(code)):
        if code[i] == opening:
            depth += 1
        elif code[i] == closing:
            depth -= 1
            if depth == 0:
                return i
    return len(code) - 1


TYPE_HEAD = re.compile(r"\b(namespace|class|struct|enum|union)\b")
INIT_LIST = re.compile(r"\)[^;]*?(?<!:):(?!:)[^;]*[\w>]\s*$", re.DOTALL)
AFTER_PARAMETERS = re.compile(r"\b(const|noexcept|override|final|try|mutable)\s*$|->[^;]*$")


def functions(code):
    """(first, last offset) of each function body with its head, outermost only. Works on stripped code."""
    found = []
    start = i = 0
    while i < len(code):
        char = code[i]
        if char in ";}":
            start = i + 1
        elif char == "(":
            i = matching(code, i, "(", ")")
        elif char == "{":
            head = code[start:i]
            if "(" not in head:
                if "=" in head and not TYPE_HEAD.search(head):
                    i = matching(code, i, "{", "}")  # a constant's value
                else:
                    start = i + 1  # namespace, class or enum: look inside
            elif INIT_LIST.search(head) and not AFTER_PARAMETERS.search(head):
                i = matching(code, i, "{", "}")  # a member's initial value; the body follows
            elif TYPE_HEAD.match(head.strip()) and not head.rstrip().endswith(")"):
                start = i + 1  # a class with attributes or base classes that hold parentheses
            else:
                end = matching(code, i, "{", "}")
                label = re.match(r"(\s*(public|protected|private)\s*:)*\s*", head)
                found.append((start + label.end(), end))
                start, i = end + 1, end
        i += 1
    return found


def opens_block(code, at):
    """Whether the brace at `at` opens a block (and not a value in braces)."""
    before = code[:at].rstrip()
    if not before or before[-1] in ");{}:":
        return True
    if re.search(r"\b(else|do|try|const|noexcept|override|mutable)$", before):
        return True
    return re.search(r"\)\s*(mutable\s*|noexcept\s*)*->\s*[\w:<>,&*\s]+$", before) is not None


def statement_around(code, at):
    """(start, end) of the statement that holds offset `at`: to its semicolon or the block it heads."""
    start = at
    depth = 0
    while start > 0:
        char = code[start - 1]
        if char in ")]":
            depth += 1
        elif char in "([":
            depth -= 1
        elif char == ";" and depth <= 0 and not code[:start].rstrip().endswith("(;"):
            if not inside_for_head(code, start - 1):
                break
        elif char == "{" and depth <= 0 and opens_block(code, start - 1):
            break
        elif char == "}" and depth <= 0 and closes_block(code, start - 1):
            break
        start -= 1
    end, depth = start, 0
    while end < len(code):
        char = code[end]
        if char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char == "{" and depth == 0 and end > at and opens_block(code, end):
            break
        elif char == ";" and depth <= 0 and end >= at:
            break
        end += 1
    return start, end


def inside_for_head(code, at):
    """Whether the semicolon at `at` stands between the parentheses of a for."""
    depth = 0
    for i in range(at - 1, max(at - 2000, -1), -1):
        if code[i] == ")":
            depth += 1
        elif code[i] == "(":
            depth -= 1
            if depth < 0:
                return re.search(r"\b(for|if|switch|while)\s*$", code[max(0, i - 20) : i]) is not None
        elif code[i] in "{}" and depth == 0:
            return False
    return False


def closes_block(code, at):
    depth = 0
    for i in range(at, -1, -1):
        if code[i] == "}":
            depth += 1
        elif code[i] == "{":
            depth -= 1
            if depth == 0:
                return opens_block(code, i)
    return True


CAPTURE = re.compile(r"(?:^|[^\w\)\]\[\s])\s*\[(?!\[)\s*[^\]\s]")


def coroutine_breaches(code):
    """(offset, what is wrong) of each statement with co_await that g++ 12 may miscompile."""
    seen = set()
    for match in re.finditer(r"\bco_await\b", code):
        start, end = statement_around(code, match.start())
        if (start, end) in seen:
            continue
        seen.add((start, end))
        statement = code[start:end]
        for pattern, what in (
            (r"\{", "a brace"),
            (r"\?", "a question mark"),
            (CAPTURE, "a capturing lambda"),
        ):
            if re.search(pattern, statement):
                yield match.start(), what
                break


# What stands behind a call's parentheses and looks into what the call returned.
INSIDE_A_CALL = re.compile(r"\)\s*(?:\.\s*value\s*\(\s*\)|->)")
# Calls whose result is no temporary's inside: they hand on what they were given, or give a pointer.
HANDS_ON = re.compile(r"\b(?:move|as_const)\s*(?=\(\s*\)\s*\.\s*value)")
GIVES_A_POINTER = re.compile(r"\b(?:as_array|as_table|get_if)\s*(?:<[^()]*>\s*)?\(\s*\)$")


def outermost(code):
    """`code` with all blanked that stands within brackets, and the brackets kept."""
    out, depth = [], 0
    for char in code:
        depth -= char in ")]}"
        out.append(char if depth == 0 else " ")
        depth += char in "([{"
    return "".join(out)


def walked(head):
    """What a range-for with this head walks over; empty for any other loop."""
    plain = outermost(head)
    found = re.search(r"(?<!:):(?!:)", plain)
    if not found or plain.count(";", found.end()):
        return ""
    return plain[found.end() :].strip()


def walks_inside_a_temporary(code):
    """Offsets of loops over the inside of what their own head lets go, which g++ 12 ends at once."""
    for match in re.finditer(r"\bfor\s*\(", code):
        end = matching(code, match.end() - 1, "(", ")")
        over = HANDS_ON.sub(lambda name: " " * len(name.group(0)), walked(code[match.end() : end]))
        looked_into = over[0:1] == "*" and over[-1:] == ")" and not GIVES_A_POINTER.search(over)
        if looked_into or INSIDE_A_CALL.search(re.sub(r"(^|[^\w>\])\s])\s*\(\s*\)", r"\1", over)):
            yield match.start()
