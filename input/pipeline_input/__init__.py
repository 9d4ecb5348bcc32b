"""Where events come into being: one file a source, one loop that publishes what they make.

`SOURCES` in sources.py names them; produce.py is the loop, with its promises.
"""
