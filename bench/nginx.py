"""nginx twice: as the upstream that answers at once, and as the bare proxy that only copies bytes."""

import os

import question
import server

IDLE_CONNECTIONS = 512  # kept to the upstream, above what the rig ever opens

_HEAD = """
worker_processes {workers};
daemon off;
pid {folder}/{name}.pid;
error_log stderr error;
worker_rlimit_nofile 65536;
events {{ worker_connections 32768; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  client_body_temp_path {folder}/{name}-body;
  proxy_temp_path {folder}/{name}-proxy;
  fastcgi_temp_path {folder}/{name}-fastcgi;
  uwsgi_temp_path {folder}/{name}-uwsgi;
  scgi_temp_path {folder}/{name}-scgi;
  client_body_buffer_size 512k;
"""

_ANSWER = """
  server {{
    listen 127.0.0.1:{port}{ssl} backlog=8192;
    {certificate}
    location / {{ default_type application/json; return 200 '{answer}'; }}
  }}
}}
"""

_PROXY = """
  upstream answers {{
    server 127.0.0.1:{upstream};
    keepalive {idle};
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
  }}
  server {{
    listen 127.0.0.1:{port}{ssl} backlog=8192;
    {certificate}
    location / {{
      proxy_pass {scheme}://answers;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      {trust}
    }}
  }}
}}
"""


class Nginx(server.Server):
    """One nginx with a configuration of its own."""

    headers = {}

    def __init__(self, name, folder, text, port, tls, workers=1):
        self.port, self.tls = port, tls
        config = folder / f"{name}.conf"
        head = _HEAD.format(workers=workers, folder=folder, name=name)
        if os.geteuid() == 0:
            head = "user root;" + head
        config.write_text(head + text)
        super().__init__(name, ["nginx", "-e", "stderr", "-c", config], folder)
        self.ready_when(lambda: server.listens(port))


def _side(tls):
    """What a listening side needs to speak TLS."""
    if tls is None:
        return {"ssl": "", "certificate": ""}
    return {"ssl": " ssl", "certificate": f"ssl_certificate {tls.chain}; ssl_certificate_key {tls.key};"}


def upstream(folder, tls=None):
    """Answers every request with the same 700 bytes, at once."""
    port = server.free_port()
    text = _ANSWER.format(port=port, answer=question.answer(), **_side(tls))
    return Nginx("upstream-tls" if tls else "upstream", folder, text, port, tls is not None)


def proxy(folder, behind, tls=None, workers=1, name="nginx"):
    """A bare proxy_pass with connections kept to the upstream, and nothing else."""
    port = server.free_port()
    trust = ""
    if tls:
        trust = f"proxy_ssl_trusted_certificate {tls.authority}; proxy_ssl_verify on;"
        trust += " proxy_ssl_name localhost; proxy_ssl_server_name on;"
    text = _PROXY.format(
        upstream=behind.port, idle=IDLE_CONNECTIONS, port=port, trust=trust,
        scheme="https" if behind.tls else "http", **_side(tls),
    )  # fmt: skip
    return Nginx(f"{name}-tls" if tls else name, folder, text, port, tls is not None, workers)
