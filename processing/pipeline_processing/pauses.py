"""How long to wait before what failed is tried again."""

PAUSE_S_MIN, PAUSE_S_MAX = 1.0, 30.0


def pause_after(failures: int) -> float:
    """Seconds, after so many failures in a row."""
    return min(PAUSE_S_MIN * 2 ** (failures - 1), PAUSE_S_MAX)
