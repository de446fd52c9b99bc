"""A private authority and a certificate for localhost, made for one run and thrown away with it."""

from dataclasses import dataclass
from pathlib import Path

from server import command


@dataclass(frozen=True)
class Tls:
    authority: Path
    chain: Path
    key: Path


def make(folder):
    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    chain, key, asked = folder / "localhost.pem", folder / "localhost.key", folder / "localhost.csr"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command(
        "openssl", "req", "-x509", *curve, "-days", "2", "-subj", "/CN=claviger bench authority",
        "-keyout", authority_key, "-out", authority,
    )  # fmt: skip
    command("openssl", "req", *curve, "-subj", "/CN=localhost", "-keyout", key, "-out", asked)
    extensions = folder / "localhost.ext"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    command(
        "openssl", "x509", "-req", "-in", asked, "-CA", authority, "-CAkey", authority_key,
        "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", chain,
    )  # fmt: skip
    return Tls(authority, chain, key)
