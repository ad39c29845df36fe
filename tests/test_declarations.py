"""declared.yaml: which statement counts for a period, and what is wrong, by file, line and key."""

import os
from pathlib import Path
from zlib import crc32

import pytest

from collector import declarations
from collector.contract.errors import WrongUse
from collector.contract.period import parse_period
from collector.declarations import Item

TODAY = 20260301
CRITERIA = {"H44.01": {"1.1": "", "1.2": "", "2.1": "mailboxes.daily_use"}, "H44.02": {"1.1": ""}}


def read(folder: Path, text: str) -> tuple[Item, ...]:
    path = folder / "declared.yaml"
    path.write_text(text, encoding="utf-8")
    # Two files within one tick of the clock, of one size: as an editor would never write them.
    os.utime(path, ns=(0, crc32(text.encode())))
    return declarations.read(path, CRITERIA)


def statement(when: str, items: str, agency: str = "H44.01", on: str = "2026-01-12") -> str:
    return f"- {{agency: {agency}, by: Văn phòng, on: {on}, {when}, items: {{{items}}}}}\n"


def counts(items: tuple[Item, ...], period: str) -> dict[str, tuple[int, int] | None]:
    return {one.criterion: one.counts for one in declarations.in_force(items, parse_period(period))}


def test_a_file_that_is_not_there_declares_nothing(tmp_path: Path) -> None:
    assert declarations.read(tmp_path / "declared.yaml", CRITERIA) == ()


def test_an_item_is_told_with_who_declared_it_when_and_on_what_evidence(tmp_path: Path) -> None:
    items = read(
        tmp_path, "statements:\n" + statement("for: 2026", '"1.1": {value: 38 of 40, evidence: Biên bản 12/BB}')
    )
    (one,) = declarations.in_force(items, parse_period("2026-02"))
    assert (one.agency, one.criterion, one.hits, one.judged) == ("H44.01", "1.1", 38, 40)
    assert (one.evidence, one.by, one.on) == ("Biên bản 12/BB", "Văn phòng", 20260112)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("38 of 40", (38, 40)),
        ("0 of 1", (0, 1)),
        ("0.95", (95, 100)),
        ("0.5", (50, 100)),
        ("0.9375", (9375, 10_000)),
        ("1", (100, 100)),
        ("0", (0, 100)),
        ("1.00", (100, 100)),
    ],
)
def test_a_value_is_a_count_of_a_whole_or_a_share(tmp_path: Path, value: str, expected: tuple[int, int]) -> None:
    items = read(tmp_path, "statements:\n" + statement("for: 2026", f'"1.1": {{value: {value}, evidence: x}}'))
    assert counts(items, "2026") == {"1.1": expected}


@pytest.mark.parametrize("item", ["{}", "{evidence: Quyết định 1}", "{value: 3 of 4}", "{value: 3 of 4, evidence: ''}"])
def test_what_has_no_value_or_no_evidence_is_missing_and_never_0(tmp_path: Path, item: str) -> None:
    if item.endswith("''}"):  # an empty text is a slip, which is told
        with pytest.raises(WrongUse, match=r"items\.1\.1\.evidence: is empty"):
            read(tmp_path, "statements:\n" + statement("for: 2026", f'"1.1": {item}'))
        return
    items = read(tmp_path, "statements:\n" + statement("for: 2026", f'"1.1": {item}'))
    assert counts(items, "2026") == {"1.1": None}
    doubts = declarations.doubts(tmp_path / "declared.yaml", items, TODAY)
    assert doubts == (
        [
            f"{tmp_path / 'declared.yaml'}:2: statements[0].items.1.1: H44.01 declares 3 of 4 without evidence, so it "
            "counts as missing. Say in `evidence` what shows it: a decision, a report, an address"
        ]
        if "value" in item
        else []
    )


def test_the_narrowest_statement_counts_and_of_those_from_a_day_on_the_latest(tmp_path: Path) -> None:
    def item(hits: int) -> str:
        return f'"1.1": {{value: {hits} of 10, evidence: x}}'

    items = read(
        tmp_path,
        "statements:\n"
        + statement("for: 2026", item(1))
        + statement("from: 2025-06-01", item(2) + ', "1.2": {value: 9 of 10, evidence: x}')
        + statement("for: 2026-Q1", item(3))
        + statement("from: 2025-12-31", item(4))
        + statement("for: 2026-02", '"1.1": {}'),
    )
    told = {period: counts(items, period).get("1.1") for period in ("2026", "2026-Q1", "2026-Q2", "2026-01", "2025-11")}
    assert told == {"2026": (1, 10), "2026-Q1": (3, 10), "2026-Q2": (1, 10), "2026-01": (3, 10), "2025-11": (2, 10)}
    assert counts(items, "2025-12") == {"1.1": (4, 10), "1.2": (9, 10)}, "in force on the last day"
    assert counts(items, "2025-05") == {}
    assert counts(items, "2026-02") == {"1.1": None, "1.2": (9, 10)}, "an empty line takes back what was declared"


def test_a_file_is_read_again_once_it_was_written(tmp_path: Path) -> None:
    first = read(tmp_path, "statements:\n" + statement("for: 2026", '"1.1": {value: 3 of 4, evidence: x}'))
    second = read(tmp_path, "statements:\n" + statement("for: 2026", '"1.1": {value: 4 of 4, evidence: x}'))
    assert (counts(first, "2026"), counts(second, "2026")) == ({"1.1": (3, 4)}, {"1.1": (4, 4)})


def test_a_day_that_has_not_come_yet_is_a_doubt_since_the_clock_may_be_wrong(tmp_path: Path) -> None:
    two = '"1.1": {value: 1, evidence: x}, "1.2": {value: 1, evidence: x}'
    items = read(tmp_path, "statements:\n" + statement("for: 2026", two, on="2026-03-02"))
    path = tmp_path / "declared.yaml"
    assert declarations.doubts(path, items, 20260302) == []
    assert declarations.doubts(path, items, TODAY) == [
        f"{path}: statements[0].on: 2026-03-02 has not come yet. Write the day on which it was declared"
    ]


GOOD = '"1.1": {value: 38 of 40, evidence: x}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            statement("for: 2026", '"1.1": {value: 41 of 40, evidence: x}'),
            "2: statements[0].items.1.1.value: 41 of 40 is no part of a whole. "
            "Write a count, `of`, and that of the whole: 38 of 40",
        ),
        (
            statement("for: 2026", '"1.1": {value: 0 of 0, evidence: x}'),
            "2: statements[0].items.1.1.value: 0 of 0 is no part of a whole. "
            "Write a count, `of`, and that of the whole: 38 of 40",
        ),
        (
            statement("for: 2026", '"1.1": {value: 95 %, evidence: x}'),
            "2: statements[0].items.1.1.value: 95 % is no share from 0 to 1. "
            "Write 0.95 for 95 %, or the counts: 38 of 40",
        ),
        (
            statement("for: 2026", '"1.1": {value: 1.5, evidence: x}'),
            "2: statements[0].items.1.1.value: 1.5 is no share from 0 to 1. "
            "Write 0.95 for 95 %, or the counts: 38 of 40",
        ),
        (
            statement("for: 2026", GOOD) + statement("for: 2026", GOOD),
            "3: statements[1].items.1.1: H44.01 declares 1.1 for 2026 twice, first in line 2. Keep one of them",
        ),
        (
            statement("for: 2026, from: 2026-01-01", GOOD),
            "2: statements[0].for: `for` or `from` must be given, one of them. "
            "Write `for: 2026`, or `from: 2026-01-01`",
        ),
        (
            statement("for: 2026-13", GOOD),
            "2: statements[0].for: '2026-13' is no period; write 2026-10, 2026-Q3, 2026 or 2026-10-05. "
            "Write the period that it holds for",
        ),
        (
            statement("for: 2026", GOOD, agency="H44.03"),
            "2: statements[0].agency: H44.03 is not in the register of agencies. Did you mean H44.02?",
        ),
        (
            statement("for: 2026", '"1.3": {}'),
            "2: statements[0].items.1.3: H44.01 has no criterion 1.3 in the scoring model. Did you mean 1.2?",
        ),
        (
            statement("for: 2026", '"2.1": {value: 1, evidence: x}'),
            "2: statements[0].items.2.1: criterion 2.1 is measured (mailboxes.daily_use): nobody declares it. "
            "Take it out",
        ),
        (
            statement("for: 2026", '"1.1": {value: 1, prove: x}'),
            "2: statements[0].items.1.1.prove: the key is not known. Known here: value, evidence",
        ),
        ("- {agency: H44.01}\n", "2: statements[0].by: must be given. Write it like `by: Văn phòng Sở`"),
    ],
)
def test_what_is_wrong_is_told_by_file_line_key_and_mend(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(WrongUse) as caught:
        read(tmp_path, "statements:\n" + text)
    assert f"{tmp_path / 'declared.yaml'}:{told}" in str(caught.value).splitlines()


def test_the_sample_declares_nothing_and_its_comment_is_a_statement(tmp_path: Path) -> None:
    sample = Path(__file__).parent.parent / "config" / "declared.yaml"
    assert declarations.read(sample, {}) == ()
    shown = [line[3:] for line in sample.read_text(encoding="utf-8").splitlines() if line.startswith("#   ")]
    path = tmp_path / "declared.yaml"
    path.write_text("\n".join(shown) + "\n", encoding="utf-8")
    criteria = {"H44.02": dict.fromkeys(("1.1", "1.3", "3.1.1", "6.1"), "")}
    items = declarations.read(path, criteria)
    assert counts(items, "2026-01") == {"1.1": (38, 40), "1.3": (1, 1), "3.1.1": (95, 100), "6.1": None}
