"""The databases that the register is read from: SQLite always, the others where they are installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.docmgmt.register import Register, register


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.server("postgresql")),
        pytest.param("mariadb", marks=pytest.mark.server("mariadb")),
    ]
)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'register.db'}"
    server = request.getfixturevalue(request.param)
    url: str = server.database("vanban")
    return url


@pytest.fixture
def site(empty: str) -> Iterator[Register]:
    """The register's tables, empty, with whole numbers as ids."""
    with register(empty) as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Register]:
    """The same in SQLite alone, for what does not depend on the database."""
    with register(f"sqlite:///{tmp_path / 'register.db'}") as made:
        yield made
