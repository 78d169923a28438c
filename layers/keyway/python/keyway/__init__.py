"""Keyway: whose key pays, did the answer stream at once, what did it cost, and where is that written down.

The story of one request is ``gateway.py`` until it is sent and ``exchange.py`` from then on; everything it needs is put
together in ``wiring.py``.
"""

__version__ = "0.1.0"
