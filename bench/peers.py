"""The gateways beside ours, from packages only, each in its leanest configuration and without governance."""

import contextlib
import os
import shutil
import subprocess

import server

CACHE = server.ROOT / ".cache/bench"
PORTKEY = "1.15.2"
LITELLM = "1.94.0"

_HAPROXY = """
global
  nbthread {workers}
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  http-reuse always
frontend bench
  bind 127.0.0.1:{port} backlog 8192
  default_backend answers
backend answers
  server one 127.0.0.1:{upstream} pool-max-conn 1024
"""

_LITELLM = """
model_list:
  - model_name: gpt-4o-mini
    litellm_params:
      model: openai/gpt-4o-mini
      api_base: "http://127.0.0.1:{upstream}/v1"
      api_key: dummy
general_settings: {{ master_key: sk-local-test }}
litellm_settings: {{ drop_params: false, telemetry: false }}
"""


class Haproxy(server.Server):
    """Bare forwarding with connections kept to the upstream; nothing is logged."""

    tls, headers = False, {}

    def __init__(self, folder, behind, workers=1):
        if not shutil.which("haproxy"):
            raise server.Skipped("HAProxy is not installed (Debian package haproxy)")
        self.port = server.free_port()
        config = folder / "haproxy.cfg"
        config.write_text(_HAPROXY.format(workers=workers, port=self.port, upstream=behind.port))
        super().__init__("haproxy", ["haproxy", "-db", "-f", config], folder)
        self.ready_when(lambda: server.listens(self.port))


def _install(name, *commands):
    """Runs the installing commands once; their success is remembered."""
    done = CACHE / f"{name}.done"
    if done.exists():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    for words in commands:
        try:
            subprocess.run(
                [str(word) for word in words], check=True, capture_output=True, text=True, timeout=900
            )
        except FileNotFoundError as error:
            raise server.Skipped(f"{name} cannot be installed: {error.filename} is missing") from error
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip() or error.stdout.strip()).splitlines()[-1:]
            raise server.Skipped(f"{name} does not install: {' '.join(last)}") from error
        except subprocess.TimeoutExpired as error:
            raise server.Skipped(f"{name} was not installed within {error.timeout:.0f} s") from error
    done.touch()


PORTKEY_HOME = CACHE / f"portkey-{PORTKEY}"
LITELLM_HOME = CACHE / f"litellm-{LITELLM}"


def install_portkey():
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]
    package = f"@portkey-ai/gateway@{PORTKEY}"
    _install(PORTKEY_HOME.name, ["npm", "install", "--prefix", PORTKEY_HOME, package, *options])


def install_litellm():
    pip = [LITELLM_HOME / "bin/pip", "install", "-q", "--disable-pip-version-check"]
    make = ["/usr/bin/python3", "-m", "venv", LITELLM_HOME]
    _install(LITELLM_HOME.name, make, [*pip, f"litellm[proxy]=={LITELLM}"])


def install():
    """Beforehand, so that nothing is installed while others wait for their turn to measure."""
    for one in (install_portkey, install_litellm):
        with contextlib.suppress(server.Skipped):
            one()


class Portkey(server.Server):
    """Portkey's open-source gateway (npm @portkey-ai/gateway). It has no keys and no budgets."""

    tls = False

    def __init__(self, folder, behind):
        install_portkey()
        self.port = server.free_port()
        self.headers = {
            "Authorization": "Bearer x",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": f"http://127.0.0.1:{behind.port}/v1",
        }
        env = os.environ | {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost", "NODE_ENV": "production"}
        script = PORTKEY_HOME / "node_modules/@portkey-ai/gateway/build/start-server.js"
        super().__init__("portkey", ["node", script, "--headless", f"--port={self.port}"], folder, env)
        self.ready_when(lambda: server.listens(self.port), 30)


class LiteLlm(server.Server):
    """LiteLLM's proxy (PyPI litellm[proxy]) in config mode: one master key, no database, no budgets."""

    tls = False
    headers = {"Authorization": "Bearer sk-local-test"}

    def __init__(self, folder, behind):
        install_litellm()
        self.port = server.free_port()
        config = folder / "litellm.yaml"
        config.write_text(_LITELLM.format(upstream=behind.port))
        env = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
        arguments = [LITELLM_HOME / "bin/litellm", "--config", config, "--num_workers", "1"]
        super().__init__("litellm", [*arguments, "--host", "127.0.0.1", "--port", self.port], folder, env)
        url = f"http://127.0.0.1:{self.port}/health/liveliness"
        self.ready_when(lambda: server.status_of(url) == 200, 120, 0.2)
