"""Cutting, cutting off and repeating: whatever happens between the runs, the store ends as the source."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from collector.contract.connector import Batch
from collector.contract.period import day_start
from tests.connectors.docmgmt.register import WANT, after, config, document, fetched, kept, local, register

START = local(2026, 1, 15, 8, 0)
START_INSTANT = day_start(20260115) + 8 * 3600

# What happens at the source: (row, minutes since the start or None for no changed value, its new status).
EVENTS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 4) | st.none(), st.sampled_from("abcd")), min_size=1, max_size=25
)


@pytest.mark.long
def test_however_the_reading_is_cut_the_store_ends_as_the_source(scale: Callable[[int], int]) -> None:
    @settings(max_examples=scale(800), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(EVENTS, st.integers(1, 9), st.lists(st.integers(1, 4), min_size=1, max_size=4))
    def property_(events: list[tuple[int, int | None, str]], size: int, stops: list[int]) -> None:
        with tempfile.TemporaryDirectory() as folder, register(f"sqlite:///{Path(folder) / 'r.db'}") as site:
            _play(site, events, size, stops)

    property_()


def _play(site: Any, events: list[tuple[int, int | None, str]], size: int, stops: list[int]) -> None:
    mapped = config(page_size=size, deliveries=None)
    truth: dict[int, str] = {}
    saved: list[Batch] = []
    want = WANT
    now = 0  # minutes; each event happens at its end or up to 4 minutes before, as a late commit does
    for turn, (row, late, status) in enumerate(events):
        now += 5
        changed = None if late is None else START + timedelta(minutes=now - late)
        if row in truth:
            with site.engine.begin() as connection:
                connection.execute(
                    update(site.documents)
                    .where(site.documents.c["Mã văn bản"] == row)
                    .values({"Trạng thái": status, "Cập nhật lúc": changed})
                )
        else:
            site.write(document(row, changed, status=status))
        truth[row] = status
        batches = fetched(site.url, mapped, want, began=START_INSTANT + now * 60)
        read = batches[: stops[turn % len(stops)]]  # the rest is cut off
        saved += read
        want = after(read)
    saved += fetched(site.url, mapped, want, began=START_INSTANT + (now + 1) * 60)
    saved += fetched(site.url, mapped, after(saved), began=START_INSTANT + (now + 2) * 60)
    assert {int(key): row[-1] for key, row in kept(saved).items()} == truth
