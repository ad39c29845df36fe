"""The queries of the dashboards that operators load into their Grafana, with its variables filled in."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).parents[2] / "config"
DASHBOARDS: Mapping[str, Any] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((CONFIG / "grafana").glob("*.json"))
}


def queries(board: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each query of a dashboard under its panel's title, as Grafana would ask it."""
    for panel in board["panels"]:
        for target in panel["targets"]:
            query = target["expr"]
            for name, value in values.items():
                query = query.replace(f"${{{name}}}", value).replace(f"${name}", value)
            assert "$" not in query.replace('"$1"', ""), query
            yield f"{board['uid']}: {panel['title']}", query
