"""Texts that break what takes them for something else: commas, ends of lines, quotes, COPY's escapes, every plane of Unicode.

A NUL and an unpaired surrogate are not among them: no database takes those.
"""

from __future__ import annotations

PLANES = "".join(chr(plane * 0x10000 + within) for plane in range(17) for within in (0x41, 0x3B1, 0xFDF0, 0xFFFD))
SEPARATORS = ("a,b", "a;b", "a\tb", "a\nb", "a\r\nb", "\t", " ", "", "line\nline\r\n\ttab")
QUOTES = ('a"b"', "a'b", "a,b\"c'd", "%s {} $1 ; DROP TABLE crash_report; --", "{}", "%s", "$1")
ESCAPES = ("\\", "a\\b", "\\n", "\\N", "\\.", "\\.\n", "\n\\.\n", "\\N \\. \\\\ \\t", "NULL")
CONTROLS = ("\x01\x08\x0b\x0c\x1a\x1b\x7f", "\u0001\u001f\u007f\u0085\u2028\ufeff\uffff")
LETTERS = ("é", "e\u0301", "é€𝄞\U0010fffd 汉字 عربي", "\U0010ffff", PLANES)
HOSTILE = (*SEPARATORS, *QUOTES, *ESCAPES, *CONTROLS, *LETTERS)
