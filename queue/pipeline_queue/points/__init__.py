"""Points: line protocol read and written, and the Arrow blocks in which they travel on the topic `points`.

Whoever imports a module of this package needs numpy, numba and pyarrow; the rest of `pipeline_queue` does not import it.
"""
