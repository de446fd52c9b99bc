"""Parts of docs/benchmarks.md that different runs write: each between its own pair of markers."""

import re


def _pattern(name):
    return re.compile(rf"<!-- {name}: begin -->\n.*?<!-- {name}: end -->\n", re.DOTALL)


def put(document, name, text):
    """The document with `text` as the part of this name, in its old place or at the end."""
    part = f"<!-- {name}: begin -->\n{text.rstrip()}\n<!-- {name}: end -->\n"
    if _pattern(name).search(document):
        return _pattern(name).sub(lambda _: part, document)
    return document.rstrip() + "\n\n" + part if document.strip() else part


def get(document, name):
    """The text of the part of this name; empty when there is none."""
    found = _pattern(name).search(document)
    return found.group(0).split("\n", 1)[1].rsplit("<!--", 1)[0] if found else ""


def carry(old, new, *names):
    """`new` with the parts of these names that `old` holds."""
    for name in names:
        if text := get(old, name):
            new = put(new, name, text)
    return new
