"""Regular expressions as Go reads them: RE2's, which pyarrow carries.

pyarrow is loaded when a script has the first one.
"""

from __future__ import annotations


def fault(pattern: str) -> str:
    """What is wrong with it, empty when nothing is."""
    import pyarrow as pa

    try:
        matches(pattern, "")
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        return str(error).removeprefix("Invalid regular expression: ")
    return ""


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found in the text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.match_substring_regex(pa.array([text], pa.string()), pattern)[0].as_py()
