"""The pauses of a source's dossiers that have no end yet, for connectors whose source tells no dates of them."""

from sqlalchemy import Engine, and_, exists, select

from collector.contract.tables import dossier_event
from collector.store.engine import reading


def open_pauses(engine: Engine, source: str) -> dict[str, list[tuple[str, int]]]:
    """Return dossier -> (ref, begun in microseconds), in the order of their begin."""
    begun, ended = dossier_event.alias("begun"), dossier_event.alias("ended")
    its_end = and_(ended.c.source == begun.c.source, ended.c.key == begun.c.dossier + "|ended|" + begun.c.ref)
    query = (
        select(begun.c.dossier, begun.c.ref, begun.c.at)
        .where(begun.c.source == source, begun.c.kind == "pause_begun", begun.c.removed == 0)
        .where(~exists().where(its_end, ended.c.removed == 0))
        .order_by(begun.c.dossier, begun.c.at)
    )
    found: dict[str, list[tuple[str, int]]] = {}
    with reading(engine) as connection:
        for key, ref, at in connection.execute(query):
            found.setdefault(key, []).append((ref, at))
    return found
