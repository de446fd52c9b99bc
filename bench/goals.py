"""The figures the gate is built to reach, by cell: what is bounded, and by how much."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A bound on a cell's ratio, on ours, or on ours less the peer's."""

    of: str
    bound: float
    at_least: bool = False

    def text(self):
        unit = "x" if self.of == "ratio" else " beyond the peer's" if self.of == "difference" else ""
        return f"{'>=' if self.at_least else '<='} {self.bound:g}{unit}"

    def reached(self, cell):
        """None when the cell lacks what is bounded."""
        value = {"ratio": cell.ratio, "ours": cell.ours}.get(self.of)
        if self.of == "difference" and cell.peer is not None:
            value = cell.ours - cell.peer
        if value is None:
            return None
        return value >= self.bound if self.at_least else value <= self.bound


GOALS = {
    "cpu_per_request_c32_0.25k_governed_vs_nginx": Goal("ratio", 0.85),
    "cpu_per_request_c32_governed_vs_nginx": Goal("ratio", 0.85),
    "cpu_per_request_c32_200k_governed_vs_nginx": Goal("ratio", 1.3),
    "cpu_per_request_c256_0.25k_governed_vs_nginx": Goal("ratio", 0.95),
    "cpu_per_request_c256_governed_vs_nginx": Goal("ratio", 0.95),
    "cpu_per_request_c256_200k_governed_vs_nginx": Goal("ratio", 1.3),
    "cpu_per_request_c32_tls_governed_vs_nginx_tls": Goal("ratio", 1.05),
    "p50_added_c1_vs_nginx_us": Goal("difference", 20),
    "p99_added_c1_vs_nginx_us": Goal("difference", 50),
    "cpu_per_request_c32_keys_100k_vs_10": Goal("ratio", 1.1),
    "cpu_per_request_c32_keys_1m_vs_10": Goal("ratio", 1.1),
    "sse_streams_at_once": Goal("ours", 10_000, at_least=True),
    "sse_memory_per_stream_kib": Goal("ours", 16),
    "sse_frames_lost": Goal("ours", 0),
    "sse_frame_delay_p99_vs_direct_ms": Goal("difference", 1),
    "rss_idle_mib": Goal("ours", 12),
    "rss_after_load_vs_idle": Goal("ratio", 1.5),
    "start_to_ready_100k_keys_ms": Goal("ours", 300),
    "throughput_c32_disk_vs_process": Goal("ratio", 0.5, at_least=True),
    "cpu_per_request_c8_governed_vs_portkey": Goal("ratio", 0.01),
    "cpu_per_request_c8_governed_vs_litellm": Goal("ratio", 0.002),
    "spent_of_budget_200_parallel": Goal("ours", 1),
}
