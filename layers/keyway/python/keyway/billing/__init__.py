"""What an exchange costs (``cost.py``, arithmetic) and what is written down about it (``settlement.py``).

Both are pure: usage, prices and outcomes come in as values, and nothing here reads a clock, a setting or a
provider's answer. Prices are data in ``catalog/``.
"""
