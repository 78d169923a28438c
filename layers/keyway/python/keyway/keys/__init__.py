"""Whose key pays for a request: what a key is, the pool of the platform's keys, and the order in which keys are tried.

    credential.py   a secret, where it came from, and how to keep it out of texts
    pool.py         which of the platform's keys has its turn
    resolve.py      the order, as one visible list
    steps.py        each step of it

Reading stored keys and flags is ``outside/``; sending a key is ``http_request.py``; what it costs is ``billing/``.
"""
