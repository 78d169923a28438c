"""Bytes to frames, without I/O: server-sent events in ``sse.py``."""
