"""The example of docs/delivery.md, made as messages are made.

`python -m tests.sinks.delivery_page` writes it into the page anew.
"""

import json
import re
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

from collector.contract.declared import Declared
from collector.contract.period import day_start, parse_period
from collector.sinks.scoring import Sealed, Unit, message
from collector.store.outbox import Message
from indicators import mailboxes
from tests.sinks.messages import ON_TIME, reading

PAGE = Path(__file__).parents[2] / "docs" / "delivery.md"
DAILY_USE = next(one for one in mailboxes.INDICATORS if one.id == "mailboxes.daily_use")


def example() -> Message:
    """Two agencies in January: a figure of each state that a service meets, and one that may not be told."""
    daily = replace(reading("2026-01"), indicator=DAILY_USE.id, version=DAILY_USE.version)
    told = [
        reading("2026-01", "H44.02", 2368, 2537),
        replace(
            *(reading("2026-01", "H44.03"),), state="missing", through=None, hits=0, judged=0, why="nothing is covered"
        ),
        replace(daily, agency="H44.02", hits=310, judged=352, unknown=3),
        replace(daily, agency="H44.03", hits=None, judged=None, unknown=None, suppressed=True, merged=(362, 408)),
    ]
    units = [
        Unit("H44.02", "Sở Công Thương", "departments"),
        Unit("H44.03", "Ban Dân tộc", "departments", "đơn vị mới thành lập, chưa xếp hạng"),
    ]
    declared = [Declared("H44.02", "5.1", 3, 4, "Quyết định 12/QĐ-SCT", "", 20260105)]
    sealed = Sealed(2, "late", "5f" * 32)
    as_of = day_start(20260203) + 9 * 3600
    indicators = [ON_TIME, DAILY_USE]
    return message(("H44", "Phú Thọ"), parse_period("2026-01"), as_of, told, units, indicators, declared, sealed)


def blocks() -> dict[str, str]:
    """What stands in the page, by name."""
    one = example()
    content = json.loads(one.body)
    answer = {"key": one.key, "digest": one.digest, "readings": len(content["readings"])}
    digest = b64encode(bytes.fromhex(one.digest)).decode()
    return {
        "headers": "\n".join(
            [
                "```http",
                "POST /api/messages HTTP/1.1",
                "Authorization: Bearer ...",
                "Content-Type: application/json",
                f'Idempotency-Key: "{one.key}"',
                f"Content-Digest: sha-256=:{digest}:",
                "```",
            ]
        ),
        "message": f"```json\n{json.dumps(content, ensure_ascii=False, indent=1)}\n```",
        "answer": f"```json\n{json.dumps(answer, indent=1)}\n```",
    }


def pasted(text: str) -> dict[str, str]:
    """What a page shows, by name."""
    return dict(re.findall(r"<!-- made: (\w+) -->\n(.*?)\n<!-- end -->", text, re.DOTALL))


def paste() -> None:
    """Write the example into the page."""
    text = PAGE.read_text(encoding="utf-8")
    made = blocks()
    for name in made:
        place = re.compile(rf"(<!-- made: {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        text = place.sub(lambda found: found[1] + made[name] + found[2], text)  # noqa: B023 (called at once)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    paste()
