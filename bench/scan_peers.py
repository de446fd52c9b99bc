"""The scanners that `./dev bench scan` measures beside ours: in the cache, or left out with a reason."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "claviger-bench"
GITLEAKS = "github.com/zricethezav/gitleaks/v8@latest"
DETECT_SECRETS = "detect-secrets==1.5.0"

# The 28 main patterns, as ripgrep takes them: what a person would search for by hand.
PATTERNS = [
    r"sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}",
    r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,74}T3BlbkFJ[A-Za-z0-9_-]{20,74}",
    r"sk-ant-api\d\d-[A-Za-z0-9_-]{93}AA",
    r"sk-ant-admin01-[A-Za-z0-9_-]{93}AA",
    r"sk-ant-oat01-[A-Za-z0-9_-]{40,}",
    r"AIza[A-Za-z0-9_-]{35}",
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"GOCSPX-[A-Za-z0-9_-]{28}",
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",
    r"ABSK[A-Za-z0-9+/]{109,269}",
    r"xai-[A-Za-z0-9_-]{70,120}",
    r"gsk_[A-Za-z0-9]{52}",
    r"sk-or-v1-[0-9a-f]{64}",
    r"tgp_v1_[A-Za-z0-9_-]{43}",
    r"fw_[A-Za-z0-9]{24}",
    r"csk-[a-z0-9]{48}",
    r"nvapi-[A-Za-z0-9_-]{60,70}",
    r"pplx-[A-Za-z0-9]{48}",
    r"hf_[A-Za-z]{34}",
    r"r8_[A-Za-z0-9]{37}",
    r"dapi[0-9a-f]{32}",
    r"gh[pousr]_[A-Za-z0-9]{36}",
    r"github_pat_[A-Za-z0-9_]{82}",
    r"glpat-[A-Za-z0-9_-]{20}",
    r"xox[baprs]-[A-Za-z0-9-]{10,}",
    r"sk_live_[A-Za-z0-9]{24,}",
    r"npm_[A-Za-z0-9]{36}",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
]


class Absent(Exception):
    """A peer that cannot be had here; its text is the reason."""


def _run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, **more)
    if done.returncode != 0:
        raise Absent((done.stderr.strip().splitlines() or ["it failed without a word"])[-1])


def gitleaks():
    """Its program, built from the Go module proxy."""
    program = CACHE / "go/bin/gitleaks"
    if found := shutil.which("gitleaks"):
        return Path(found)
    if not program.is_file():
        if not shutil.which("go"):
            raise Absent("there is no Go toolchain")
        environment = dict(os.environ, GOPATH=str(CACHE / "go"), GOBIN=str(program.parent))
        _run(["go", "install", GITLEAKS], env=environment)
    return program


def detect_secrets():
    """Its program, in a virtual environment of its own."""
    program = CACHE / "detect-secrets/bin/detect-secrets"
    if not program.is_file():
        _run([sys.executable, "-m", "venv", str(program.parent.parent)])
        _run([str(program.parent / "pip"), "install", "-q", "--disable-pip-version-check", DETECT_SECRETS])
    return program


def ripgrep():
    if not (found := shutil.which("rg")):
        raise Absent("ripgrep is not installed")
    return Path(found)


def trufflehog():
    if not (found := shutil.which("trufflehog")):
        raise Absent("trufflehog is not installed, and its module cannot be built by `go install`")
    return Path(found)
