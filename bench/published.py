"""What others have published about gateways, as facts with their sources; nothing of it was measured here."""

HARNESS = (
    'GetBusbar/benchmarking ("onthebench"), run by a vendor, 2026-08-03: AWS m7g.4xlarge, gateway on 4 cores,'
    " zero-delay upstream, OpenAI to OpenAI; CPU at 8 connections, latency added at 1. Whether keys and "
    "limits were on is not stated."
)
# gateway, added p50 us, added p99 us, CPU us a request, RSS MiB idle, RSS MiB steady
FIELD = [
    ("Busbar 1.5.1", "73", "82", "65.1", "7.3", "22.4"),
    ("LiteLLM-Rust", "92", "106", "88.5", "253", "258"),
    ("agentgateway 1.4.0", "186", "228", "168.6", "25", "48"),
    ("AISIX 0.7.0", "191", "208", "195.7", "77", "95"),
    ("Kong 3.9.3", "195", "389", "209.9", "403", "620"),
    ("APISIX", "211", "465", "216", "179", "209"),
    ("Helicone ai-gateway", "274", "294", "276.8", "43", "56"),
    ("TensorZero 2026.6.0", "40,974", "40,993", "396.7", "49", "70"),
    ("Bifrost 1.6.6", "521", "1,058", "805.4", "245", "879"),
    ("GoModel", "651", "2,073", "1,048", "53", "87"),
    ("Portkey 1.15.2", "1,177", "3,720", "1,486", "124", "244"),
    ("LiteLLM-Python 1.94.0", "6,570", "8,221", "6,775", "1,080", "1,104"),
    ("one-api 0.6.10", "34,086", "1,050,000", "16,957", "85", "149"),
]
# gateway, its own claim, under which conditions, where it is told
CLAIMS = [
    (
        "Bifrost",
        "11 us overhead at 5,000 requests/s",
        "t3.xlarge; without JSON marshalling and the upstream call",
        "maximhq/bifrost-benchmarking",
    ),
    (
        "TensorZero",
        "p99 0.94 ms at 10,000 requests/s",
        "c7i.xlarge, 2025-07-30; observability off, no keys or limits",
        "tensorzero: crates/gateway/benchmarks",
    ),
    (
        "LiteLLM",
        "3,000 requests/s on 33 pods of 4 vCPU, p99 91.6 ms",
        "October 2026, budgets on",
        "LiteLLM's documentation, benchmarks",
    ),
    (
        "agentgateway",
        "36,933 requests/s, p99 1.97 ms, 22 MB",
        "hardware not told; 32 connections, 3 s",
        "linsun/litellm-agw-perf",
    ),
    (
        "Helicone",
        "3,000 requests/s, p95 89 ms before a 60 ms upstream",
        "2 vCPU, logging off",
        "Helicone/ai-gateway: benchmarks/suite",
    ),
    ("Portkey", "under 1 ms latency", "no benchmark published", "Portkey's repository"),
    (
        "Kong",
        "over 200 % of Portkey's, over 800 % of LiteLLM's throughput",
        "c5.4xlarge, 400 users; no keys or limits on any side",
        "Kong/kong_ai_gateway-portkey-litellm-benchmark",
    ),
]
