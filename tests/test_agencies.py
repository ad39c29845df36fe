from pathlib import Path

import pytest

from collector import agencies
from collector.agencies import ALWAYS, AgencyTerm, Legacy, Register
from collector.contract.errors import WrongUse

SAMPLE = Path(__file__).parent.parent / "config" / "agencies.yaml"
BLOCKS = (
    "blocks:\n  departments: {title_vi: Sở, title_en: Departments}\n  communes: {title_vi: Xã, title_en: Communes}\n"
)


def register(tmp_path: Path, entries: str) -> Register:
    path = tmp_path / "agencies.yaml"
    path.write_text(f"{BLOCKS}agencies:\n{entries}", encoding="utf-8")
    return agencies.read(path)


def told(tmp_path: Path, entries: str) -> list[str]:
    with pytest.raises(WrongUse) as found:
        register(tmp_path, entries)
    return [line.removeprefix(f"{tmp_path}/") for line in str(found.value).splitlines()]


A = "  - {code: A1, name: x, block: departments"
B = "  - {code: B1, name: x, block: departments"
C = "  - {code: C1, name: x, block: departments"
TWO = """\
  - code: H44.02
    old_codes: [000.00.02.H44]
    name: Sở Khoa học và Công nghệ
    block: departments
    aliases:
      mail: [skhcn.example.gov.vn]
      documents: ["07"]
      any: [Sở KH&CN]
  - code: H44.09
    name: Sở Tài chính
    block: departments
    aliases: {onestop: ["07"]}
"""


def test_an_agency_is_found_by_code_old_code_and_alias(tmp_path: Path) -> None:
    known = register(tmp_path, TWO)
    for written in ("H44.02", "000.00.02.H44", "skhcn.example.gov.vn", "Sở KH&CN"):
        assert known.resolve("mail", written, 20260105) == "H44.02"
    for unknown in ("H44.03", "", "h44.02", "000.00.02", "Sở"):
        assert known.resolve("mail", unknown, 20260105) is None


def test_an_alias_for_one_source_says_nothing_to_another(tmp_path: Path) -> None:
    known = register(tmp_path, TWO)
    assert known.resolve("documents", "07", 20260105) == "H44.02"
    assert known.resolve("onestop", "07", 20260105) == "H44.09"
    assert known.resolve("mail", "07", 20260105) is None
    assert known.resolve("documents", "skhcn.example.gov.vn", 20260105) is None


def test_an_alias_for_one_source_goes_before_one_for_any(tmp_path: Path) -> None:
    known = register(tmp_path, TWO.replace('onestop: ["07"]', 'onestop: ["Sở KH&CN"]'))
    assert known.resolve("onestop", "Sở KH&CN", 20260105) == "H44.09"
    assert known.resolve("mail", "Sở KH&CN", 20260105) == "H44.02"


def test_domains_are_found_in_any_case_and_spaces_around_do_not_matter(tmp_path: Path) -> None:
    known = register(tmp_path, TWO)
    assert known.resolve("mail", " SKHCN.Example.gov.VN\n", 20260105) == "H44.02"
    assert known.resolve("mail", "\tH44.02 ", 20260105) == "H44.02"
    assert known.resolve("mail", "sở kh&cn", 20260105) is None


def test_a_name_is_found_however_its_accents_are_encoded(tmp_path: Path) -> None:
    known = register(tmp_path, TWO)
    assert known.resolve("mail", "So\u031b\u0309 KH&CN", 20260105) == "H44.02"


def test_what_was_written_means_the_agency_of_its_time() -> None:
    known = agencies.read(SAMPLE)
    assert known.resolve("mail", "lamthao.example.gov.vn", 20250630) == "H44.31"
    assert known.resolve("mail", "lamthao.example.gov.vn", 20250701) == "H44.114"
    assert known.resolve("documents", "000.00.31.H44", 20250630) == "H44.31"
    assert known.resolve("documents", "000.00.31.H44", 20250701) is None, "it was divided"
    assert known.resolve("onestop", "08494", 20250630) == "H44.31.01"
    assert known.resolve("onestop", "08494", 20250701) == "H44.114"
    assert known.resolve("onestop", "08527", 20250630) == "H44.31.09"
    assert known.resolve("onestop", "08527", 20250701) == "H44.117"


def test_a_code_kept_in_use_after_its_agencys_end_means_the_successor() -> None:
    known = agencies.read(SAMPLE)
    assert known.resolve("onestop", "08512", 20250630) == "H44.31.06"
    assert known.resolve("onestop", "08512", 20250701) == "H44.114"
    assert known.resolve("onestop", "H44.31.12", 20260105) == "H44.117"


def test_a_later_code_on_an_older_record_means_the_agency_of_that_day_or_what_several_became(tmp_path: Path) -> None:
    entries = (
        f"{A}, to: 2025-06-30, successor: B1}}\n{B}, from: 2025-07-01}}\n"
        "  - {code: C1, name: x, block: communes, to: 2025-02-28, successor: E1}\n"
        "  - {code: D1, name: x, block: communes, to: 2025-02-28, successor: E1}\n"
        "  - {code: E1, name: x, block: communes, from: 2025-03-01, to: 2025-06-30, successor: F1}\n"
        "  - {code: F1, name: x, block: communes, from: 2025-07-01}\n"
        "  - {code: G1, name: x, block: communes, from: 2025-07-01}\n"
    )
    known = register(tmp_path, entries)
    assert known.resolve("s", "B1", 20250505) == "A1", "a new name alone"
    assert known.resolve("s", "F1", 20250505) == "E1", "the one before it"
    assert known.resolve("s", "F1", 20250105) == "F1", "C1 or D1: nobody can tell"
    assert known.resolve("s", "E1", 20250105) == "E1"
    assert known.resolve("s", "E1", 20250801) == known.resolve("s", "C1", 20250801) == "F1", "along the whole chain"
    assert known.resolve("s", "C1", 20250505) == "E1"
    assert known.resolve("s", "G1", 20250505) is None, "it came from nobody: more likely its `from` is wrong"


def test_who_answers_for_what_is_left_is_told_day_by_day(tmp_path: Path) -> None:
    entries = (
        "  - {code: C1, name: x, block: communes, to: 2025-02-28, successor: E1}\n"
        "  - {code: E1, name: x, block: communes, from: 2025-03-01, to: 2025-06-30, successor: F1}\n"
        "  - {code: F1, name: x, block: communes, to: 2026-06-30, divided_among: [G1, H1]}\n"
        "  - {code: G1, name: x, block: communes}\n  - {code: H1, name: x, block: communes}\n"
    )
    known = register(tmp_path, entries)
    days = (20250228, 20250301, 20250630, 20250701, 20260630, 20260701)
    assert [known.heir("C1", day) for day in days] == ["C1", "E1", "E1", "F1", "F1", None]
    assert known.legacies() == [
        Legacy("C1", "E1", 20250301, 20250630),
        Legacy("C1", "F1", 20250701, None),
        Legacy("E1", "F1", 20250701, None),
    ]
    assert known.predecessors("F1") == ["E1"]
    assert known.predecessors("H1") == ["F1"]


def test_terms_follow_the_headcount(tmp_path: Path) -> None:
    known = agencies.read(SAMPLE)
    terms = [term for term in known.terms() if term.agency in ("H44.02", "H44.09")]
    assert terms == [
        AgencyTerm("H44.02", ALWAYS, None, "departments", 61, "payroll of 31 January 2026"),
        AgencyTerm("H44.09", 20200101, 20251231, "departments", 82, "payroll of 31 December 2025"),
        AgencyTerm("H44.09", 20260101, None, "departments", 80, "payroll of 31 January 2026"),
    ]
    assert known.resolve("mail", "H44.09", 20191231) is None
    assert known.resolve("mail", "H44.09", 20251231) == known.resolve("mail", "H44.09", 20260101) == "H44.09"
    assert [term.holds(20251231) for term in terms] == [True, True, False]


def test_between_two_terms_there_is_no_agency(tmp_path: Path) -> None:
    gap = (
        "  - {code: A1, name: x, block: departments, terms: [{to: 2024-12-31}, {from: 2026-01-01, block: communes}]}\n"
    )
    known = register(tmp_path, gap)
    assert [known.resolve("s", "A1", day) for day in (20241231, 20250101, 20251231, 20260101)] == [
        "A1",
        None,
        None,
        "A1",
    ]
    assert [term.block for term in known.terms()] == ["departments", "communes"]


def test_the_sample_shows_blocks_outsiders_and_parents() -> None:
    known = agencies.read(SAMPLE)
    assert known.blocks["departments"].title_vi == "Sở, ban, ngành"
    assert list(known.blocks) == ["departments", "vertical", "districts", "communes"]
    assert known.agencies["H44.60"].outside == "special duties, not ranked by the yearly decision"
    assert known.agencies["H44.02"].outside == ""
    assert known.agencies["H44.114.01"].parent == "H44.114"


def test_the_digest_changes_with_the_content_and_not_with_comments(tmp_path: Path) -> None:
    first = register(tmp_path, TWO).digest
    assert register(tmp_path, TWO).digest == first
    assert register(tmp_path, "  # a comment\n" + TWO).digest == first
    for changed in (
        ("H44.09", "H44.10"),
        ('"07"', '"08"'),
        ("Sở Tài chính", "Sở Nội vụ"),
        ("old_codes: [000", "old_codes: [001"),
    ):
        assert register(tmp_path, TWO.replace(*changed)).digest != first


@pytest.mark.parametrize(
    ("entries", "line"),
    [
        (
            f"{A}, old_codes: [X.9]}}\n{B}, old_codes: [X.9]}}\n",
            "agencies.yaml:6: agencies[1].old_codes: X.9 is claimed by B1 here and by A1 in line 5."
            " Delete one, or give the agencies terms that do not overlap",
        ),
        (
            f"{A}}}\n{B}, old_codes: [A1]}}\n",
            "agencies.yaml:6: agencies[1].old_codes: A1 is claimed by B1 here and by A1 in line 5."
            " Delete one, or give the agencies terms that do not overlap",
        ),
        (
            f"{A}, aliases: {{mail: [X.gov.vn]}}}}\n{B}, aliases: {{mail: [x.GOV.vn]}}}}\n",
            "agencies.yaml:6: agencies[1].aliases.mail: x.gov.vn is claimed by B1 here and by A1 in line 5."
            " Delete one, or give the agencies terms that do not overlap",
        ),
        (
            f"{A}, aliases: {{mail: [B1]}}}}\n{B}}}\n",
            "agencies.yaml:6: agencies[1].code: B1 is claimed by B1 here and by A1 in line 5."
            " Delete one, or give the agencies terms that do not overlap",
        ),
        (
            f"{A}, to: 2025-07-01, old_codes: [X]}}\n{B}, from: 2025-07-01, old_codes: [X]}}\n",
            "agencies.yaml:6: agencies[1].old_codes: X is claimed by B1 here and by A1 in line 5."
            " Delete one, or give the agencies terms that do not overlap",
        ),
        (
            f"{A}}}\n{A}}}\n",
            "agencies.yaml:6: agencies[1].code: A1 is already the code of the entry in line 5."
            " Keep one entry; what changes over time goes into its `terms`. If the code was given to another agency"
            " later, make up one for the former, like A1.former, and list A1 in its `old_codes`",
        ),
        (f"{A}, blok: x}}\n", "agencies.yaml:5: agencies[0].blok: the key is not known. Did you mean block?"),
        (
            "  - {code: A1, name: x, block: department}\n",
            "agencies.yaml:5: agencies[0].block: department is no block. Did you mean departments?",
        ),
        (
            "  - {code: A1, block: departments}\n",
            "agencies.yaml:5: agencies[0].name: must be given. Write it like `name: Sở Khoa học và Công nghệ`",
        ),
        (
            "  - {code: A 1, name: x, block: departments}\n",
            "agencies.yaml:5: agencies[0].code: A 1 is no code."
            " Write letters and digits with dots between them, like H44.02",
        ),
        (
            f"{A}, headcount: 61}}\n",
            "agencies.yaml:5: agencies[0].headcount: nothing says where the number is from."
            " Write `headcount_from: payroll of 31 January 2026`, or leave the headcount out",
        ),
        (
            f"{A}, headcount: 61.5, headcount_from: x}}\n",
            "agencies.yaml:5: agencies[0].headcount: 61.5 is no whole number from 0 on. Write digits only, like 61",
        ),
        (
            f"{A}, from: 2025-07-01, to: 2025-06-30}}\n",
            "agencies.yaml:5: agencies[0].to: 2025-06-30 is before 2025-07-01, its `from`."
            " Both days belong to the term",
        ),
        (
            f"{A}, terms: [{{to: 2025-06-30}}, {{from: 2025-06-30}}]}}\n",
            "agencies.yaml:5: agencies[0].terms[1].from: the term begins before the one above it has ended."
            " End the earlier term before it, and list terms in order of time",
        ),
        (
            f"{A}, from: 2025-07-01, terms: [{{to: 2025-06-30}}]}}\n",
            "agencies.yaml:5: agencies[0].from: stands beside `terms`. Move it into the term that it belongs to",
        ),
        (
            f"{A}, outside: yes}}\n",
            "agencies.yaml:5: agencies[0].outside: yes is no reason."
            " Write why it is left out of the wider figures, or delete it",
        ),
        (
            f"{A}, parent: A2}}\n{B}}}\n",
            "agencies.yaml:5: agencies[0].parent: A2 is no code of the register. Known here: A1, B1",
        ),
        (
            f"{A}, parent: B1}}\n{B}, parent: A1}}\n",
            "agencies.yaml:5: agencies[0].parent: leads back to itself: A1 -> B1 -> A1. Break the circle",
        ),
        (
            f"{A}, successor: B1}}\n{B}}}\n",
            "agencies.yaml:5: agencies[0].successor: is given, but the agency has no end. Write its last day as `to`",
        ),
        (
            f"{A}, to: 2025-06-30, successor: B1}}\n{B}, from: 2025-07-02}}\n",
            "agencies.yaml:5: agencies[0].successor: B1 is not there on 2025-07-01, the day after the agency's end."
            " Correct the agency's `to`, or the `from` of B1: nothing may fall between",
        ),
        (
            f"{A}, to: 2025-06-30, successor: B1}}\n{B}, to: 2025-06-30}}\n",
            "agencies.yaml:5: agencies[0].successor: B1 is not there on 2025-07-01, the day after the agency's end."
            " Correct the agency's `to`, or the `from` of B1: nothing may fall between",
        ),
        (
            f"{A}, to: 2025-06-30, successor: B2}}\n{B}}}\n",
            "agencies.yaml:5: agencies[0].successor: B2 is no code of the register. Known here: A1, B1",
        ),
        (
            f"{A}, to: 2025-06-30, successor: [B1, C1]}}\n{B}}}\n{C}}}\n",
            "agencies.yaml:5: agencies[0].successor: names several, and what an agency did cannot be shared out among"
            " them. Name the one that took over its records; if each took over a part of them, write `divided_among`",
        ),
        (
            f"{A}, to: 2025-06-30, divided_among: [B1, B1]}}\n{B}}}\n",
            "agencies.yaml:5: agencies[0].divided_among: names fewer than two agencies."
            " Name the one that took it over: `successor`",
        ),
        (
            f"{A}, to: 2025-06-30, divided_among: [B1, D1]}}\n{B}}}\n{C}}}\n",
            "agencies.yaml:5: agencies[0].divided_among: D1 is no code of the register. Known here: A1, B1, C1",
        ),
        (
            f"{A}, to: 2025-06-30, successor: B1, divided_among: [B1, C1]}}\n{B}}}\n{C}}}\n",
            "agencies.yaml:5: agencies[0].divided_among: stands beside `successor`."
            " Keep `successor` if that one took over its records, else `divided_among`",
        ),
        (
            f"{A}, to: 2025-06-30, divided_among: [B1, C1]}}\n{B}, to: 2025-12-31, successor: A1}}\n{C}}}\n",
            "agencies.yaml:6: agencies[1].successor: leads back to itself: B1 -> A1 -> B1. Break the circle",
        ),
    ],
)
def test_a_broken_register_is_told_by_file_line_key_and_mend(entries: str, line: str, tmp_path: Path) -> None:
    assert line in told(tmp_path, entries)


def test_agencies_that_follow_each_other_may_share_a_code(tmp_path: Path) -> None:
    entries = f"{A}, to: 2025-06-30, old_codes: [X]}}\n{B}, from: 2025-07-01, old_codes: [X]}}\n"
    known = register(tmp_path, entries)
    assert [known.resolve("s", "X", day) for day in (20250630, 20250701)] == ["A1", "B1"]


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    assert len(told(tmp_path, f"{A}, blok: x}}\n{B}, headcount: many}}\n  - H44.02\n")) == 4
