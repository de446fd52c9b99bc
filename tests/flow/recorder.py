"""A provider's side that keeps each request and answers with a recorded exchange."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Recorder:
    """An HTTP server that keeps each request and answers what it was told to: an object as JSON, bytes as
    they are. `fields` are further headers, `latency` is waited for before every answer."""

    def __init__(self):
        self.requests, self.answer, self.fields, self.latency = [], {}, {}, 0.0
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                recorder.requests.append((self.command, self.path, headers, body))
                time.sleep(recorder.latency)
                raw = isinstance(recorder.answer, bytes)
                data = recorder.answer if raw else json.dumps(recorder.answer).encode()
                fields = {"content-type": "application/json"} | recorder.fields
                self.send_response(200)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = serve

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
