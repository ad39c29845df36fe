"""The benchmark of the mail log measures a reader that counts right. How fast it is, no test says."""

from pathlib import Path

from tests.benchmarks.mail_log import COUNTS, measure, read, write
from tests.benchmarks.mail_log_lines import lines
from tests.connectors.email.mail_lines import use_by_single_lines


def test_what_the_benchmark_reads_is_what_single_lines_tell(tmp_path: Path) -> None:
    write(tmp_path, 20_000)
    made = [line.rstrip("\n") for line in lines(20_000)]
    use = use_by_single_lines(made, 2025)
    outside = [line for line in made if " status=sent " in line and "@a" not in line.partition("to=<")[2][:8]]
    outside = [line for line in outside if ".gov.vn>" not in line]
    told = read(tmp_path)
    assert told["sessions"] == sum(sessions for sessions, _ in use.values())
    assert told["sent"] == sum(sent for _, sent in use.values())
    assert told["sent_outside"] == len(outside) > 100
    assert told["sent_free"] == sum("@gmail.com" in line or "@Yahoo" in line or "@outlook" in line for line in outside)
    assert 50 < told["sent_free"] < told["sent_outside"]


def test_the_benchmark_says_what_it_measured(tmp_path: Path) -> None:
    figures = {figure["name"]: figure for figure in measure(tmp_path, 20_000, 1, peer=False)}
    assert all(figures[name]["value"] > 0 for name in COUNTS)
    assert figures["peak memory against a fifth of the log"]["target"] == 1.15
    assert figures["lines per second"]["value"] > 0
    assert set(figures["lines per second"]) == {"name", "value", "unit", "peer", "target", "holds"}
