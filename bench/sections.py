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


def carry(old, new, name):
    """`new` with the part of this name that `old` holds, if it holds one."""
    found = _pattern(name).search(old)
    return put(new, name, found.group(0).split("\n", 1)[1].rsplit("<!--", 1)[0]) if found else new
