"""The whole gateway on one machine: AWS stand-ins, a scripted provider, and the runtime, all on loopback.

``system.py`` puts the parts together; ``demo.py`` and ``dev.py`` are what ``make demo`` and ``make dev`` run.
"""
