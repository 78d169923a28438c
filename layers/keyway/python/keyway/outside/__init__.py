"""Every client of another system, one file each: the only modules that do I/O. Built in ``wiring.py``."""
