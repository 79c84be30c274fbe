"""What memory there is, asked before it is gone."""

from __future__ import annotations

from pathlib import Path

from spicesnn.errors import DataError

# Doubles a cell that a solve of one input holds at its peak, measured; see the benchmark's page.
SOLVE_BYTES = 25 * 8
_SHARE = 0.5  # Our choice: other work lives in the same memory.
_ALWAYS = 2**26  # Bytes that any machine has, for which nothing is asked: our choice.


def available_bytes() -> int:
    """Memory that can still be had, bytes: the machine's, or its control group's if less.

    Where neither can be read (no Linux), 2 GiB: our choice.
    """
    found = []
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(1024 * int(line.split()[1]))
    except (OSError, ValueError):
        pass
    try:
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
        found.append(max(limit - used, 0))
    except (OSError, ValueError):
        pass  # No limit is written as "max".
    return min(found, default=2 * 2**30)


def check_memory(needed: int, what: str, advice: str) -> None:
    """Refuse what takes more than half of the memory there.

    Args:
        needed: bytes.
        what: is asked for, the message's subject.
        advice: what to do instead.

    Raises:
        DataError: it would take more; the message states both numbers.
    """
    if needed <= _ALWAYS:
        return
    there = available_bytes()
    if needed > _SHARE * there:
        raise DataError(
            f"{what} would take {needed:.3g} bytes, more than half of the {there:.3g} bytes of "
            f"memory there; {advice}"
        )
