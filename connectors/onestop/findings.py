"""What every probe of a one-stop system's service finds out alike."""

from collector.contract.connector import Finding

_SKEW = 300


def clock_finding(server_time: int | None, began: int, why: str) -> Finding:
    """Compare a service's own clock (epoch seconds; None: not told) with ours. `why`: what depends on it."""
    if server_time is None:
        return Finding("clock", "unproved", "the service does not tell its clock")
    says = f"the service's clock differs by {server_time - began} seconds"
    if abs(server_time - began) <= _SKEW:
        return Finding("clock", "ok", says)
    return Finding("clock", "failed", says, f"Set both hosts' clocks by NTP; {why}")


def only_asks_finding(method: str, what: str) -> Finding:
    """Say that nothing but questions are asked, which proves nothing of the account."""
    return Finding(
        "read-only",
        "unproved",
        f"only {method} of {what} is ever asked; nothing shows that the account cannot write",
        "Ask for an account that may only list",
    )
