"""What every talk over HTTP needs: addresses and headers that can be used, whom to trust, dates, and strict JSON."""

import calendar
import email.utils
import json
import logging
import math
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import httpx

from collector.contract.door import JSON
from collector.contract.errors import AccessDenied, WrongUse

# httpx logs every URL with its query, which may name people or hold a key.
logging.getLogger("httpx").setLevel(logging.WARNING)

_WEEK = 7 * 86_400.0


def base_address(text: str) -> str:
    """Return the address below which a service is asked; ValueError, in words, if it is none."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise ValueError("is no address; write it like https://motcua.example/api") from None
    if url.scheme not in ("http", "https") or not re.fullmatch(rb"[a-z0-9._:-]+", url.raw_host):
        raise ValueError("must begin with https:// (or http://) and name a host")
    if url.userinfo or url.query or url.fragment:
        raise ValueError("must hold no user, password, query or fragment; use user, password or token")
    return text.rstrip("/")


def sendable(headers: Mapping[str, str], field: str, source: str) -> dict[str, str]:
    """Return headers as they can be sent. WrongUse, without the value, which may be a secret, for what none can hold.

    httpx would quote it in its complaint.
    """
    for name, value in headers.items():
        if not (name.isascii() and name.replace("-", "").isalnum() and value.isascii() and value.isprintable()):
            raise WrongUse(
                "a header can hold only printable ASCII characters, on one line",
                source=source,
                stage="configuration",
                field=field,
                mend="Look for a line break or an accented letter in the value",
            )
    return dict(headers)


def trust(address: str, ca_file: Path | None, source: str) -> ssl.SSLContext | bool:
    """Return whom to trust behind an address: the authorities of a PEM file, or else of the host.

    WrongUse if the file cannot be used.
    """
    if address.startswith("http:"):
        return False
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError too
        raise WrongUse(
            f"{ca_file} cannot be used as a list of authorities ({error.strerror or error})",
            source=source,
            stage="configuration",
            field="ca_file",
            mend="Name a readable file with one or more PEM certificates",
        ) from error


def distrusted(error: httpx.TransportError, host: str, source: str, field: str) -> AccessDenied | None:
    """Return what to say if a connection failed because the other side is not trusted; None for any other failure.

    `field` is the setting that holds the address.
    """
    failure = _tls_failure(error)
    if isinstance(failure, ssl.SSLCertVerificationError):
        return AccessDenied(
            f"the certificate of {host} is not trusted ({failure.verify_message})",
            source=source,
            stage="reach",
            field="ca_file",
            mend=f"Set ca_file to the PEM file of the authority that signed it, and {field} to a name in it",
        )
    if failure is not None:
        return AccessDenied(
            f"no TLS connection to {host} ({failure.reason or failure.strerror})",
            source=source,
            stage="reach",
            field=field,
            mend="Check that this port speaks https with TLS 1.2 or later; ca_file names a private authority",
        )
    return None


def _tls_failure(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None:
        # An end in the middle is a broken connection, not a question of trust.
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return error
        error = error.__cause__ or error.__context__
    return None


def rest_wanted(response: httpx.Response, now: int) -> float | None:
    """Return how many seconds (a week at most) a service wants to be left alone: its Retry-After; None if it has none.

    A date is counted on the server's own clock where it shows it, else from `now` (epoch seconds): ours may differ.
    """
    wanted = response.headers.get("Retry-After", "").strip()
    if wanted.isascii() and wanted.isdigit():
        return min(float(wanted), _WEEK)
    until = _instant(wanted)
    if until is None:
        return None
    shown = date_of(response)
    return min(max(0.0, float(until - (now if shown is None else shown))), _WEEK)


def date_of(response: httpx.Response) -> int | None:
    """Return the instant (epoch seconds) that a server puts on its answer; None if it puts none."""
    return _instant(response.headers.get("Date", ""))


def _instant(text: str) -> int | None:
    parts = email.utils.parsedate_tz(text)
    if parts is None:
        return None
    try:
        return calendar.timegm((*parts[:6], 0, 1, 0)) - (parts[9] or 0)
    except (ValueError, OverflowError):
        return None


class Refused(ValueError):
    """Something that Python's decoder lets pass and JSON, or we, do not. Its text quotes no content."""


def strict_json(body: bytes) -> JSON:
    """Return what a JSON text says. Refused for numbers that are none and fields named twice.

    What the decoder itself raises for what it cannot read is passed on: json.JSONDecodeError, UnicodeDecodeError,
    RecursionError, and ValueError for an integer of more than 4,300 digits.
    """
    decoded: JSON = json.loads(
        body, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_without_duplicates
    )
    return decoded


def _no_number(name: str) -> NoReturn:
    raise Refused(f"{name} is no number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Refused("it holds an oversized number")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("an object names a field twice")
    return found
