"""docs/audit.md names every column and every rule as the program has them, and its pasted output is that of a run."""

import pytest

from collector.audit.line import CLOSE, ENOUGH
from collector.audit.measured import TOLERANCE
from collector.audit.rows import BYTES, ROWS
from tests.audit.page import PAGE, tables
from tests.indicators.on_time_page import pasted

TEXT = PAGE.read_text(encoding="utf-8")
MADE = tables()


@pytest.mark.parametrize("name", ["columns", "rules", "output"])
def test_the_page_is_true(name: str) -> None:
    assert pasted(TEXT)[name] == MADE[name], "python -m tests.audit.page"


def test_its_limits_are_those_of_the_program() -> None:
    told = " ".join(TEXT.split())
    assert f"Apart by more than {TOLERANCE} percentage point" in told
    assert f"under {ENOUGH}" in told
    assert f"{BYTES >> 20} MiB, {ROWS:,} rows, a million cells" in told
    assert f"cách xa hơn {CLOSE} điểm phần trăm" in told
