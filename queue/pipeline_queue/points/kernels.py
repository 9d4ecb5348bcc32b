"""How the kernels of this package are compiled.

They allocate nothing, so counting references to their arrays is switched off, and those that take many arrays are laid
into their caller: with both, 5,000 lines of one field took 0.13 µs of processor time each, without 0.64 µs.
"""

KERNEL = {"cache": True, "nogil": True, "_nrt": False}
INLINED = {**KERNEL, "inline": "always"}
