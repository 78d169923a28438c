"""Builds the layers for Lambda's machines on any machine: no Docker, no compiler, the same bytes every time.

``python -m infra.build`` (``make layers``) is the command; ``artifacts.py`` says what is in which layer, ``wheels.py``
gets third-party code, ``target.py`` knows Lambda's platforms. Nothing here talks to AWS.
"""
