"""What the tests of all transports need: a run, and the account of somebody else."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from collector.transports import Run
from tests.transports.runs import make_run


@pytest.fixture
def run() -> Run:
    return make_run()


@pytest.fixture
def as_nobody() -> Callable[[], AbstractContextManager[None]]:
    """A block in which root is an account without any rights; another account stays itself."""

    @contextmanager
    def block() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(65_534)
        try:
            yield
        finally:
            os.seteuid(0)

    return block
