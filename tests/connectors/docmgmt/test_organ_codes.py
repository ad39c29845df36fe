import pytest

from connectors.docmgmt.organ_codes import outside as outside_of


@pytest.mark.parametrize(
    ("code", "outside"),
    [
        ("H44.02", 0),
        ("h44.02.01", 0),
        ("000.00.02.H44", 0),
        ("28.22.H44", 0),
        ("H44", 0),
        ("H28.05", 0),
        ("H4.402", None),
        ("H440.2", None),
        ("H37.DN.001", 1),
        ("000.00.00.G22", 1),
        ("G22", 1),
        ("Sở Tài chính", None),
        ("", None),
        (None, None),
    ],
)
def test_an_organ_code_tells_who_is_outside_the_province(code: str | None, outside: int | None) -> None:
    assert outside_of(["H44.", ".H44", "H28.05"]).column([code]) == [outside]
