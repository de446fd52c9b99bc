// The second parser of the recorder's test: Node's llhttp reads recorded bytes from stdin, base64 one a line,
// and says what requests it sees: {"error", "requests": [{"method","target","headers","body"}]}, one a line.
import http from "node:http";
import readline from "node:readline";
import { Duplex } from "node:stream";

const PATIENCE_MS = 20000;
const AT_ONCE = 50;

class Wire extends Duplex {
  _read() {}
  _write(chunk, encoding, done) {
    done();
  }
}

function parse(bytes) {
  return new Promise((resolve) => {
    const requests = [];
    const wire = new Wire();
    const server = http.createServer();
    const finish = (error) => {
      clearTimeout(late);
      wire.destroy();
      resolve({ error, requests });
    };
    const late = setTimeout(() => finish("incomplete"), PATIENCE_MS);
    server.on("clientError", (problem) => finish(problem.code ?? String(problem)));
    server.on("request", (request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        const body = Buffer.concat(parts).toString("base64");
        requests.push({ method: request.method, target: request.url, headers: request.rawHeaders, body });
        response.end();
        // What is left behind the request would be another one, or an error, in the turns that follow.
        setTimeout(() => finish(null), 1);
      });
    });
    server.emit("connection", wire);
    wire.push(bytes);
  });
}

const lines = [];
for await (const line of readline.createInterface({ input: process.stdin })) lines.push(line);
for (let at = 0; at < lines.length; at += AT_ONCE) {
  const some = lines.slice(at, at + AT_ONCE);
  const answers = await Promise.all(some.map((line) => parse(Buffer.from(line, "base64"))));
  for (const answer of answers) console.log(JSON.stringify(answer));
}
