"""What a document says: from a file's bytes to its passages, in a process of its own.

`reader` is the side that the services use; it loads no library. `worker` is the other process,
with limits; `extract` chooses among the modules of the formats, each of which makes passages of
bytes and does no IO.
"""
