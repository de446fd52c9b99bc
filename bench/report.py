"""A run as people read it: a table on the terminal, and docs/benchmarks.md."""

import machine
import published
from goals import GOALS

_INTRODUCTION = """# Benchmarks

Made by `./dev bench gate` in one run on one machine, and written over by the next full run. Claviger is
always measured with all of its governance on, for there is no switch to turn it off: a key with model,
endpoint and network scope, blocking budgets on organisation, team, project and key, requests and tokens a
minute, an intent and a receipt in the journal for each request, and the usage tables derived from it. The
peers are measured in their leanest configuration: nginx and HAProxy only forward (connections to the
upstream kept, no access log); Portkey and LiteLLM have neither keys nor budgets set up.
"""

_METHOD = """## Method

- **Processor time a request** is the user and system time of all processes of a proxy (`/proc/PID/stat`,
  10 ms ticks), from before the load until the processes have come to rest, divided by the requests
  answered. Work put off, such as deriving the usage tables, therefore counts. Both proxies run one event
  loop (`--workers`).
- What is compared is taken in turns, A B A B, over the number of rounds in the table; the figures are
  medians, the ratio is ours divided by the peer's (of the medians), the spread is the distance between
  the quartiles of the rounds' own ratios (without a peer: of the values) as a share of their median. A
  spread beside a difference that lies near zero is large and says little.
- The upstream is nginx with `return 200` and an answer of about 700 bytes in OpenAI's shape with its
  usage. Closed loop: wrk, one thread. A failed request makes its cell fail; it is not averaged away.
- **Open loop** (`rate_p99_*`): requests are due at a constant rate, and the answer's time counts from
  when the request was due, also when no connection was free then. The best of four runs of one second
  counts at each rate. Where direct itself does not keep a limit, the figure tells about the machine.
- **Added latency** is the quantile through the proxy less the quantile direct, at one connection.
- **Streams**: 64 deltas, each with the time at which it left the upstream; its delay is read off at the
  client, on the same clock. 200 streams run 20 ms apart. 10,000 streams run 500 ms apart: closer
  together, writing, copying and reading the frames is more than two cores do without any gate. Memory per
  stream is what resident memory grew by while all were open.
- **Spent of budget**: one key whose budget is worth 50 requests, waves of 200 requests at once, half of
  them streams, every fifth client gone before the end, until a whole wave is refused. What was spent is
  what the sandbox provider's own ledger says.
- Requests a second and latencies depend on the machine and on what else it does; processor time carries
  over.

## Again

```sh
./dev bench gate            # everything, about twelve minutes; writes this file
./dev bench gate --quick    # the three most telling cells, within 45 s
./dev bench gate --only tls,keys --json
./dev bench                 # the micro-benchmarks, held against bench/baseline.json
```

What is missing is installed first (Debian's nginx, haproxy and wrk; Portkey from npm, LiteLLM from PyPI,
pinned). Ten thousand streams need 20,100 descriptors a process (`ulimit -Hn`); with fewer, as many streams
run as fit. `CLAVIGER_BENCH_LOCK=FILE` makes several runs on one machine take turns.
"""


def _shown(value):
    return "-" if value is None else f"{value:,.10g}"


def table(found):
    """The cells for a terminal."""
    rows = [("cell", "ours", "peer", "unit", "ratio", "rounds", "spread", "goal")]
    for cell in found:
        figures = (_shown(cell.ours), _shown(cell.peer), cell.unit, _shown(cell.ratio))
        rows.append((cell.name, *figures, str(cell.rounds), f"{cell.spread:.0%}", goal(cell)))
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def goal(cell):
    """The cell's goal and whether it is reached."""
    wanted = GOALS.get(cell.name)
    if wanted is None or (reached := wanted.reached(cell)) is None:
        return ""
    return f"{wanted.text()}: {'reached' if reached else 'missed'}"


def _rows(*rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _table(head, rows):
    return _rows(head, ["---"] * len(head), *rows) + "\n"


def document(found, notes, load_before):
    """The whole of docs/benchmarks.md."""
    cells = []
    for cell in found:
        figures = [_shown(cell.ours), _shown(cell.peer), cell.unit, _shown(cell.ratio)]
        cells.append([f"`{cell.name}`", *figures, str(cell.rounds), f"{cell.spread:.0%}", goal(cell)])
    parts = [
        _INTRODUCTION,
        _table(["cell", "ours", "peer", "unit", "ratio", "rounds", "spread", "goal"], cells),
        *[f"- {note}\n" for note in notes],
        "## Machine and versions\n",
        _table(["what", "which"], machine.describe(load_before)),
        _METHOD,
        "## Published by others\n",
        "Not measured here. " + published.HARNESS + "\n",
        _table(
            ["gateway", "added p50 us", "added p99 us", "CPU us a request", "RSS idle MiB", "steady MiB"],
            published.FIELD,
        ),
        "What vendors say of themselves:\n",
        _table(["gateway", "claim", "conditions", "where"], published.CLAIMS),
    ]
    return "\n".join(parts)
