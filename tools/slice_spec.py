#!/usr/bin/env python3
"""Cuts the slice of a provider's OpenAPI document that the sandbox's double is held to.

    cd tests/flow/contracts
    slice_spec.py openai openapi.json > openai.json
    slice_spec.py pinecone {admin,oauth,db_control}_2026-04.oas.yaml > pinecone.json

What stays are facts: paths, parameters, types, what is required. Sentences, examples and extensions go.
Reading YAML needs the package pyyaml.
"""

import fnmatch
import json
import sys

# calls: what the double serves (globs of method and path). prefix: what the servers' address has in front of
# them. overlay: what the provider's SDK sends and its document does not have yet.
RECIPES = {
    "openai": {
        "source": "https://github.com/openai/openai-openapi, openapi.json, f85dbe22 (2026-08-21)",
        "prefix": "/v1",
        "calls": [
            "* /organization/admin_api_keys*",
            "* /organization/costs",
            "* /organization/usage/completions",
            "* /organization/usage/embeddings",
            "* /organization/projects",
            "* /organization/projects/{project_id}",
            "* /organization/projects/{project_id}/api_keys*",
            "* /organization/projects/{project_id}/service_accounts*",
        ],
        # openai 7.55.0, resources/admin/organization/projects/api-keys.d.ts: update
        "overlay": {
            "/organization/projects/{project_id}/api_keys/{api_key_id}": {
                "post": {
                    "operationId": "update-project-api-key",
                    "requestBody": {
                        "required": True,
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "properties": {
                                        "scopes": {"type": "array", "items": {"type": "string"}},
                                        "expires_in_seconds": {"type": ["integer", "null"]},
                                    },
                                }
                            }
                        },
                    },
                    "responses": {
                        "200": {
                            "content": {
                                "application/json": {
                                    "schema": {"$ref": "#/components/schemas/ProjectApiKey"}
                                }
                            }
                        }
                    },
                }
            }
        },
    },
    "pinecone": {
        "source": "https://github.com/pinecone-io/pinecone-api, 2026-04: admin, oauth, db_control",
        "prefix": "",
        "calls": [
            "* /admin/projects/{project_id}/api-keys",
            "* /admin/api-keys/{api_key_id}",
            "post /oauth/token",
            "get /indexes",
        ],
        "overlay": {},
    },
}

PROSE = {"description", "summary", "example", "examples", "externalDocs", "tags", "title"}


def bare(node, names=False):
    """The node without prose; `names`: its keys are names that the document gives, which all stay."""
    if isinstance(node, list):
        return [bare(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {}
    for key, value in node.items():
        if not names and (key in PROSE or key.startswith("x-")):
            continue
        kept[key] = bare(value, names=not names and key in ("properties", "responses", "schemas"))
    if not names and kept.pop("nullable", False) and isinstance(kept.get("type"), str):
        kept["type"] = [kept["type"], "null"]  # 3.0's word in a document of 3.1, where it says nothing
    return kept


def references(node):
    if isinstance(node, list):
        for each in node:
            yield from references(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)


def slice_of(document, recipe):
    paths = {}
    for path, item in document["paths"].items():
        kept = {
            method: operation
            for method, operation in item.items()
            if any(fnmatch.fnmatchcase(f"{method} {path}", call) for call in recipe["calls"])
        }
        if kept:
            shared = {"parameters": item["parameters"]} if "parameters" in item else {}
            paths[recipe["prefix"] + path] = bare(kept | shared)
    for path, methods in recipe["overlay"].items():
        paths[recipe["prefix"] + path].update(methods)
    components = {"securitySchemes": bare(document["components"].get("securitySchemes", {}), names=True)}
    wanted = list(references(paths))
    while wanted:
        kind, name = wanted.pop().removeprefix("#/components/").split("/")
        if name not in components.setdefault(kind, {}):
            components[kind][name] = bare(document["components"][kind][name])
            wanted += references(components[kind][name])
    for answer in answers_of(paths) + list(components.get("responses", {}).values()):
        answer["description"] = ""  # the one prose field that OpenAPI requires
    info = document["info"]
    return {
        "openapi": document["openapi"],
        "info": {
            "title": info["title"],
            "version": info["version"],
            "license": info["license"],
            "x-source": recipe["source"],
        },
        "servers": [{"url": "/"}],
        "security": document.get("security", []),
        "paths": paths,
        "components": {kind: dict(sorted(each.items())) for kind, each in sorted(components.items())},
    }


def answers_of(paths):
    return [
        answer
        for item in paths.values()
        for method in item.values()
        if isinstance(method, dict)
        for answer in method.get("responses", {}).values()
        if "$ref" not in answer
    ]


def read(path):
    with open(path, encoding="utf-8") as file:
        if path.endswith(".json"):
            return json.load(file)
        import yaml

        return json.loads(json.dumps(yaml.safe_load(file), default=str))  # without YAML's dates


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in RECIPES:
        sys.exit(__doc__)
    document, *others = [read(path) for path in sys.argv[2:]]
    for number, other in enumerate(others, 2):
        # Each has components of the same names: those of the second get a 2 in front, and so on.
        mark = "#/components/schemas/"
        for path, item in json.loads(json.dumps(other["paths"]).replace(mark, f"{mark}{number}-")).items():
            for method in item.values():
                if isinstance(method, dict):
                    method.setdefault("security", other.get("security", []))
            document["paths"][path] = item
        for name, schema in other["components"]["schemas"].items():
            schema = json.loads(json.dumps(schema).replace(mark, f"{mark}{number}-"))
            document["components"]["schemas"][f"{number}-{name}"] = schema
    print(json.dumps(slice_of(document, RECIPES[sys.argv[1]]), indent=1))


if __name__ == "__main__":
    main()
