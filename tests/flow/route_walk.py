"""A good request for every route of the table, so that tests can walk it."""

import json
import struct
import subprocess
import urllib.parse

import rig

BOUNDARY = "walk-boundary"
MODEL_OF = {
    "chat": "gpt-4o-mini", "responses": "gpt-4o-mini", "completions": "gpt-3.5-turbo-instruct",
    "embeddings": "text-embedding-3-small", "moderations": "omni-moderation-latest", "images": "dall-e-2",
    "transcriptions": "whisper-1", "translations": "whisper-1", "speech": "tts-1",
    "messages": "claude-haiku-4-5", "generate_content": "gemini-2.5-flash",
    "predict": "imagen-4.0-generate-001",
}  # fmt: skip


def table():
    out = subprocess.run([rig.BIN, "routes", "--json"], capture_output=True, text=True, check=True).stdout
    return json.loads(out)["routes"]


def at_root(row):
    """Whether a credential of the three dialects serves the row; others are reached by name, under /p/, or
    are the gate's own."""
    return row["dialect"] in rig.DIALECTS and not row["path"].startswith("/openai/")


def served():
    return [row for row in table() if row["served"] and at_root(row)]


def refused():
    return [row for row in table() if not row["served"] and at_root(row)]


def by_name(served=None):
    rows = [row for row in table() if not at_root(row) and row["dialect"] != "claviger"]
    return rows if served is None else [row for row in rows if row["served"] == served]


# Providers that are reached by name, a price for whatever their routes ask for, and a secret of their shape.
NAMED = ("azure", "bedrock", "pinecone", "weaviate", "qdrant")
NAMED_PRICES = "".join(
    f'''
[[price]]
provider = "{name}"
models = ["*"]
'''
    + ('request = "0.01"\n' if name in NAMED[2:] else
       'input = "1"\ncache_write_5m = "2"\noutput = "5"\nmax_output = 4096\ncontext = 200000\n')
    for name in ("azure_openai", *NAMED[1:])
)  # fmt: skip


def add_named(gate, url):
    """A credential for each provider that is reached by name."""
    for name in NAMED:
        more = ("--parameter", "region=eu-west-1") if name == "bedrock" else ()
        gate.credential(f"{name}-dev", name, url, rig.provider_key(name), "dev", *more)


def named_body(row):
    """A good JSON body for a row that is reached by name."""
    if row["dialect"] == "openai":
        return json_body(row, "Say something.")
    if row["dialect"] == "vectors":
        return {"vector": [0.5], "topK": 3}
    if row["endpoint"] == "invoke":
        return {"prompt": "Say something.", "max_tokens": 64}
    return {"messages": [{"role": "user", "content": [{"text": "Say something."}]}],
            "inferenceConfig": {"maxTokens": 64}}  # fmt: skip


def named_request(row, key):
    """The raw bytes of a request for a row that is reached by name."""
    name = row["id"].partition(".")[0]
    path = row["path"].replace("/**", "/x/y").replace("{model}", "gpt-4o-mini")
    for part in ("{id}", "{name}", "{class}"):
        path = path.replace(part, "x")
    body = json.dumps(named_body(row)).encode() if row["method"] in ("POST", "PUT") else b""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return rig.request_bytes(row["method"], f"/p/{name}-dev{path}", headers, body)


def wav(seconds=1):
    """Silence: 8000 samples a second of 16 bits."""
    size = seconds * 16000
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000,
                       2, 16, b"data", size)  # fmt: skip
    return head + bytes(size)


def form(fields, files):
    """(content type, body) of a multipart form."""
    body = b""
    for name, value in fields.items():
        body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, data in files.items():
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        body += head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + data + b"\r\n"
    return f"multipart/form-data; boundary={BOUNDARY}", body + f"--{BOUNDARY}--\r\n".encode()


def model_of(row):
    if row["dialect"] == "gemini" and "mbed" in row["path"]:
        return "gemini-embedding-001"
    return MODEL_OF.get(row["endpoint"], rig.MODELS[row["dialect"]])


def json_body(row, text):
    """The JSON body that a served POST route takes."""
    endpoint, model = row["endpoint"], model_of(row)
    if row["dialect"] == "gemini":
        part = {"content": {"parts": [{"text": text}]}}
        if "atchEmbed" in row["path"]:
            return {"requests": [part | {"model": f"models/{model}"}]}
        if "embed" in row["path"]:
            return part
        if endpoint == "predict":
            return {"instances": [{"prompt": text}], "parameters": {"sampleCount": 2}}
        return rig.question("gemini", text)[1]
    if endpoint == "count_tokens":
        return rig.question(row["dialect"], text)[1] | {"input": text}
    return {
        "responses": {"model": model, "input": text, "max_output_tokens": 64},
        "embeddings": {"model": model, "input": text},
        "moderations": {"input": text},
        "completions": {"model": model, "prompt": text, "max_tokens": 64},
        "images": {"model": model, "prompt": text, "n": 2},
        "speech": {"model": model, "voice": "alloy", "input": text},
    }.get(endpoint) or rig.question(row["dialect"], text)[1]


def body_of(row, text):
    """(content type, body)."""
    if row["method"] != "POST":
        return "application/json", b""
    model = model_of(row)
    if row["endpoint"] in ("transcriptions", "translations"):
        return form({"model": model, "prompt": text}, {"file": wav(2)})
    if row["path"].endswith(("/edits", "/variations")):
        return form({"model": model, "prompt": text, "n": "2"}, {"image": b"png"})
    return "application/json", json.dumps(json_body(row, text)).encode()


def path_of(row):
    path = row["path"].replace("{model}", urllib.parse.quote(model_of(row))).replace("{id}", "x")
    path = path.replace("/**", "/x/y")
    return path + ("?alt=sse" if "streamGenerate" in path else "")


def request(row, key, text="Say something.", extra=None):
    """The raw bytes of a request for one row of the table."""
    kind, body = body_of(row, text)
    headers = rig.auth(row["dialect"], key) | {"content-type": kind} | (extra or {})
    return rig.request_bytes(row["method"], path_of(row), headers, body)
