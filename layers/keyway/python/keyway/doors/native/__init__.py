"""The native door: ``POST /v1/execute``, and the same object as a bare event.

``request.py`` reads it, ``answer.py`` writes the whole answer, ``stream.py`` writes it event by event.
"""
