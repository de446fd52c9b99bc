"""The rig's own arithmetic: medians, spread, processor time, the shape of what is printed."""

import os
import subprocess
import sys
import time

import cpu
import figures
import gate
import goals
import micro
import pytest
import question
import rates
import report
import server
import tools
import wrk

STAT = "77 (a (very) odd) name) S 12 77 77 0 -1 4194560 100 0 0 0 150 50 7 3 20 0 4 0 100 1 2 3"


def test_a_median_of_an_even_count_lies_between_the_two_in_the_middle():
    assert figures.median([4, 1, 3, 2]) == 2.5


def test_a_median_does_not_follow_one_wild_value():
    assert figures.median([1, 1, 1, 1, 1000]) == 1


def test_a_quantile_takes_the_distance_between_neighbours():
    assert figures.quantile([0, 10], 0.25) == 2.5
    assert figures.quantile([7], 0.99) == 7


def test_no_values_have_no_median():
    with pytest.raises(ValueError):
        figures.median([])


def test_the_spread_is_the_distance_of_the_quartiles_as_a_share_of_the_median():
    assert figures.spread([10, 20, 30, 40, 50]) == pytest.approx(20 / 30)
    assert figures.spread([5, 5, 5]) == 0
    assert figures.spread([0, 0]) == 0


def test_a_comparison_divides_the_medians_and_spreads_over_the_rounds_ratios():
    cell = figures.compare("c", "us", [10, 20, 40], [20, 40, 80])
    assert (cell.ours, cell.peer, cell.ratio, cell.rounds, cell.spread) == (20, 40, 0.5, 3, 0)


def test_without_a_peer_there_is_no_ratio():
    cell = figures.compare("c", "MiB", [10.0])
    assert (cell.ours, cell.peer, cell.ratio, cell.spread) == (10, None, None, 0)


def test_a_peer_at_zero_gives_no_ratio():
    assert figures.compare("c", "frames", [0], [0]).ratio is None


def test_rounds_of_ours_and_the_peer_must_match():
    with pytest.raises(ValueError, match="2 rounds of ours, 1 of the peer"):
        figures.compare("c", "us", [1, 2], [1])


def test_figures_keep_four_digits():
    assert figures.rounded(12345.6) == 12350
    assert figures.rounded(0.00123456) == 0.001235
    assert figures.rounded(None) is None


def test_processor_time_counts_user_system_and_ended_children():
    stat = cpu.parse_stat(STAT)
    assert (stat.state, stat.parent, stat.ticks) == ("S", 12, 150 + 50 + 7 + 3)


def test_processor_time_of_this_process_grows_with_work_and_is_zero_for_none():
    before = cpu.cpu_us([os.getpid()])
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    assert cpu.cpu_us([os.getpid()]) - before >= 80_000
    assert cpu.cpu_us([]) == 0


def test_a_family_is_a_process_with_its_children(tmp_path):
    shell = server.Server("shell", ["sh", "-c", "sleep 60 & sleep 60; true"], tmp_path)
    try:
        server.until(lambda: len(shell.pids()) == 3)
        assert shell.popen.pid in shell.pids()
        assert cpu.rss_bytes(shell.pids()) > 0
    finally:
        for pid in reversed(shell.pids()):
            os.kill(pid, 15)
        shell.stop()


def test_a_server_that_ends_at_once_tells_its_log(tmp_path):
    broken = server.Server("broken", ["sh", "-c", "echo no such thing; exit 3"], tmp_path)
    with pytest.raises(server.Failed, match="broken ended with 3: no such thing"):
        broken.ready_when(lambda: False, 10)


@pytest.mark.parametrize("size", question.SIZES.values())
def test_a_request_has_exactly_the_size_that_is_asked_for(size):
    assert len(question.body(size)) == size


def test_a_request_smaller_than_its_frame_is_refused():
    with pytest.raises(ValueError):
        question.body(10)


def test_the_answer_weighs_about_700_bytes_and_carries_usage():
    assert 600 <= len(question.answer()) <= 800
    assert '"usage"' in question.answer()
    assert "'" not in question.answer()  # it stands between single quotes in nginx's configuration


def test_wrk_is_read_and_a_failed_request_is_no_measurement():
    line = 'BENCH {"requests":3000,"bad":%d,"us":1500000,"p50_us":90,"p99_us":400}\n'
    sample = wrk.parse("Running 1s test\n" + line % 0, "ours")
    assert (sample.requests, sample.per_second, sample.p99_us) == (3000, 2000, 400)
    with pytest.raises(server.Failed, match="ours: 2 of 3000 requests failed"):
        wrk.parse(line % 2, "ours")
    with pytest.raises(server.Failed, match="wrk said nothing of ours"):
        wrk.parse("connection refused", "ours")


def test_turns_alternate():
    class Target:
        def __init__(self, name):
            self.name = name

    order = []
    take = lambda folder, target, load: order.append(target.name) or len(order)
    samples = wrk.in_turns(None, [Target("a"), Target("b")], None, 2, take)
    assert order == ["a", "b", "a", "b"]
    assert samples == [[1, 3], [2, 4]]


def test_no_round_after_the_first_begins_when_time_is_up():
    take = lambda folder, target, load: target
    assert wrk.in_turns(None, ["a", "b"], None, 5, take, until=time.monotonic() - 1) == [["a"], ["b"]]


def test_the_highest_rate_is_the_last_that_keeps_the_limit():
    found = {500: 0.4, 1000: 0.9, 2000: 3.0, 4000: None}
    assert rates.highest(found, 1) == 1000
    assert rates.highest(found, 5) == 2000
    assert rates.highest({500: 20.0}, 10) == 0


def test_a_request_on_the_wire_tells_its_length(tmp_path):
    target = type("Target", (), {"name": "t", "headers": {"Authorization": "Bearer k"}})
    raw = tools.request_file(tmp_path, target, stream=True, size=500).read_bytes().decode()
    head, _, body = raw.partition("\r\n\r\n")
    assert "Content-Length: 500" in head and "Authorization: Bearer k" in head
    assert len(body) == 500 and '"stream": true' in body


def test_every_cell_has_the_promised_fields():
    cell = figures.compare("rss_idle_mib", "MiB", [10.0], [20.0])
    assert list(cell.as_json()) == ["name", "ours", "peer", "unit", "ratio", "rounds", "spread"]


def test_goals_bound_a_ratio_ours_or_a_difference():
    cell = figures.compare("c", "us", [50], [40])
    assert goals.Goal("ratio", 1.3).reached(cell)
    assert not goals.Goal("ours", 49).reached(cell)
    assert goals.Goal("difference", 10).reached(cell)
    assert not goals.Goal("ratio", 1.3, at_least=True).reached(cell)
    assert goals.Goal("ratio", 1).reached(figures.compare("c", "us", [50])) is None


def test_the_table_says_whether_a_goal_is_reached():
    text = report.table([figures.compare("rss_idle_mib", "MiB", [10.0], [20.0])])
    assert "<= 12: reached" in text.splitlines()[1]


def test_the_document_holds_cells_notes_versions_and_published_figures():
    cells = [figures.compare("rss_idle_mib", "MiB", [13.0])]
    text = report.document(cells, ["portkey left out: no npm"], 0.5)
    assert "| `rss_idle_mib` | 13 | - | MiB | - | 1 | 0% | <= 12: missed |" in text
    assert "- portkey left out: no npm" in text
    assert "| load average | 0.5 before the run" in text
    assert "| nginx | " in text and "| Kong 3.9.3 | 195 |" in text


def test_an_unknown_group_is_an_error(capsys):
    with pytest.raises(SystemExit) as ended:
        gate.options(["--only", "c32,moon"])
    assert ended.value.code == 2
    assert "--only moon: known are c32" in capsys.readouterr().err


def test_quick_has_a_plan_of_its_own():
    assert list(gate.options(["--quick"]).plan) == ["quick"]
    assert list(gate.options([]).plan) == list(gate.GROUPS)
    assert list(gate.options(["--only", "keys,tls"]).plan) == ["tls", "keys"]


def told(name, *taken, unit="ns", **more):
    return [{"name": name, "run_name": name, "cpu_time": t, "time_unit": unit, **more} for t in taken]


def test_micro_benchmarks_are_read_in_nanoseconds_without_their_aggregates():
    rows = told("parse", 2.0, 1.0, unit="us") + told("parse", 9.0, run_type="aggregate")
    assert micro.times({"benchmarks": rows}) == {"parse": [2000, 1000]}


def test_a_micro_benchmark_that_failed_is_not_passed_over():
    rows = told("parse", 1.0, error_occurred=True, error_message="refused")
    with pytest.raises(server.Failed, match="parse: refused"):
        micro.times({"benchmarks": rows})


def test_a_ratio_is_the_fastest_repetition_in_fastest_calibration_loops():
    found = {"calibration": [120.0, 100.0], "parse": [60.0, 50.0]}
    assert micro.ratios("wire_bench", found) == {"wire_bench/parse": 0.5}


def test_what_regressed_is_named_and_what_is_new_or_faster_too():
    baseline = {"a": 1.0, "b": 1.0, "c": 1.0}
    rows = micro.held_against(baseline, {"a": 1.5, "b": 1.7, "c": 0.5, "d": 1.0}, tolerance=1.6)
    assert [verdict for *_, verdict in rows] == ["held", "regressed", "faster: record it", "new"]


def test_a_benchmark_of_the_baseline_that_is_gone_is_named():
    assert micro.gone({"a": 1.0, "b": 1.0}, {"a": 1.0}) == ["b"]


def test_what_the_rig_started_ends_when_the_rig_is_killed(tmp_path):
    script = "import server, sys, time; s = server.Server('child', ['sleep', '60'], sys.argv[1]);"
    script += "print(s.popen.pid, flush=True); time.sleep(60)"
    arguments = [sys.executable, "-c", script, tmp_path]
    with subprocess.Popen(arguments, cwd=server.ROOT / "bench", stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    server.until(lambda: (stat := cpu.read_stat(child)) is None or stat.state == "Z")
