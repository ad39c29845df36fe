"""Ledgers and systems of sample provinces, made once for all tests of the demo."""

from pathlib import Path

import pytest

from collector.demo import province, systems
from collector.demo.ledger import Ledger


@pytest.fixture(scope="session")
def whole() -> Ledger:
    """The province as `collector demo` shows it."""
    return province.make()


@pytest.fixture(scope="session")
def small() -> Ledger:
    """Fifteen agencies of all blocks, from the last day of 2025 on."""
    return province.make(agencies=15)


@pytest.fixture(scope="session")
def folder(small: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The systems of the small province."""
    path = tmp_path_factory.mktemp("province")
    systems.write(small, path)
    return path
