"""Every HTTP operation of the installed official SDKs, read from their sources: method and path."""

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

import rig

PYTHON = next(Path(sys.prefix).glob("lib/python3*/site-packages"))
NODE = rig.ROOT / "tests/flow/node_modules"
VERBS = {"get", "post", "put", "patch", "delete"}
# What '{name}' stands for in google-genai, by the file or the words around it.
NAMED = {"caches": "cachedContents/x", "tunings": "tunedModels/x", "models": "models/x"}
NAMED |= {"batches": "batches/x", "documents": "fileSearchStores/x/documents/y"}
NAMED |= {"file_search_stores": "fileSearchStores/x", "operations": "operations/x"}
PARAMETERS = {
    "{model}": "models/x",
    "{models_url}": "models",
    "{operationName}": "models/x/operations/y",
    "{parent}/documents": "fileSearchStores/x/documents",
    "{file_search_store_name}": "fileSearchStores/x",
    "{resource_name}:": "models/x:",
}


class Operation(NamedTuple):
    sdk: str
    where: str
    method: str
    path: str  # with "x" for every parameter


def filled(path):
    """A path with every parameter given, without its query."""
    return re.sub(r"\$?\{[^}]*\}", "x", path.partition("?")[0])


def text_of(node):
    """The text of a path expression: a constant, path_template("...", ...) or "...".format_map(...)."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "path_template":
            return text_of(node.args[0])
        if isinstance(node.func, ast.Attribute) and node.func.attr == "format_map":
            return text_of(node.func.value)
    return None


def stainless_python(package, version):
    """openai and anthropic: self._post("/path", ...) in resources/."""
    for source in sorted((PYTHON / package / "resources").rglob("*.py")):
        where = str(source.relative_to(PYTHON / package / "resources"))
        for call in ast.walk(ast.parse(source.read_text())):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not call.args:
                continue
            verb = call.func.attr.removeprefix("_")
            if call.func.attr == "_get_api_list":
                named = [k.value.value for k in call.keywords if k.arg == "method"]
                verb = named[0] if named else "get"
            elif not call.func.attr.startswith("_") or verb not in VERBS:
                continue
            path = text_of(call.args[0])
            if path is not None:  # a results_url that an answer named is no path of the SDK's own
                yield Operation(f"{package} (Python)", where, verb.upper(), version + filled(path))


def without_vertex(tree):
    """The tree's nodes except what only runs for Vertex AI."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "vertexai" in ast.unparse(node.test):
            yield from (n for child in node.orelse for n in [child, *without_vertex(child)])
        else:
            yield node
            yield from without_vertex(node)


def gemini_path(template, where):
    template = template.replace("{{api_version}}", "v1beta").replace("{api_version}", "v1beta")
    for parameter, meant in PARAMETERS.items():
        template = template.replace(parameter, meant)
    stem = Path(where).stem
    name = NAMED.get(stem, "models/x/operations/y")
    template = re.sub(r"^\{(name|resource_name)\}", name, template)
    path = "/" + filled(template).lstrip("/")
    return path if re.match(r"/(v1beta|v1alpha|upload|ws)/", path) else "/v1beta" + path


def genai_python():
    root = PYTHON / "google/genai"
    for source in sorted(root.glob("*.py")):
        for function in ast.walk(ast.parse(source.read_text())):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            nodes = list(without_vertex(function))
            paths = {text_of(n) for n in nodes if isinstance(n, ast.Call) and text_of(n)}
            verbs = {
                n.args[0].value
                for n in nodes
                if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.args
                if re.fullmatch(r"(async_)?request(_streamed)?", n.func.attr)
                if isinstance(n.args[0], ast.Constant) and n.args[0].value in VERBS
            }
            for path in paths:
                for verb in verbs:
                    made = gemini_path(path, source.name)
                    yield Operation("google-genai (Python)", source.name, verb.upper(), made)
    for source in sorted((root / "_gaos").glob("*.py")):
        calls = re.findall(r'method="([A-Z]+)",\s+path="(/\{api_version\}[^"]*)"', source.read_text())
        for verb, path in calls:
            yield Operation("google-genai (Python)", source.name, verb, gemini_path(path, source.name))


def stainless_node(package, version):
    """openai and @anthropic-ai/sdk: this._client.post('/path' or path`/path`, ...) in resources/."""
    pattern = re.compile(r"_client\.(get|post|put|patch|delete|getAPIList)\(([^;]{0,900})", re.S)
    for source in sorted((NODE / package / "resources").rglob("*.js")):
        where = str(source.relative_to(NODE / package / "resources"))
        for verb, rest in pattern.findall(source.read_text()):
            found = re.match(r"(?:\(0, path_1\.path\)|path)?\s*[`'\"](/[^`'\"]*)[`'\"]", rest)
            if found is None:
                continue
            if verb == "getAPIList":
                named = re.search(r"method: '(\w+)'", rest)
                verb = named.group(1) if named else "get"
            yield Operation(f"{package} (Node)", where, verb.upper(), version + filled(found.group(1)))


def genai_node():
    vertex, path, klass = False, None, ""
    for line in (NODE / "@google/genai/dist/node/index.cjs").read_text().splitlines():
        if named := re.match(r"class (\w+)", line):
            klass = named.group(1)
        if "isVertexAI()) {" in line and "!" not in line:
            vertex = True
        elif re.match(r"\s*(\} )?else \{", line):
            vertex = False
        if found := re.search(r"formatMap\('([^']*)'", line):
            path = None if vertex else found.group(1)
        elif found := re.search(r'pathToFunc\("([^"]*)"\)', line):
            path = found.group(1)
        elif path is not None and (found := re.search(r"(?:httpMethod|method): ['\"]([A-Z]+)['\"]", line)):
            where = re.sub(r"(?<!^)(?=[A-Z])", "_", klass).lower() + ".js"
            yield Operation("@google/genai (Node)", where, found.group(1), gemini_path(path, where))
            path = None


def operations():
    """All of them, each once."""
    found = [
        *stainless_python("openai", "/v1"),
        *stainless_python("anthropic", ""),
        *genai_python(),
        *stainless_node("openai7", "/v1"),
        *stainless_node("openai6", "/v1"),
        *stainless_node("@anthropic-ai/sdk", ""),
        *genai_node(),
    ]
    return sorted(set(found))
