"""What an exchange costs, and what is written down about it.

    cost.py             arithmetic: usage times price
    settlement.py       the one decision about an exchange: charged, absorbed, or somebody else's
    records.py          the metrics that a decision comes to
    failure_reason.py   why a request on a hosted key failed

All of it is pure: usage, prices and outcomes come in as values, and nothing here reads a clock, a setting or a
provider's answer. Prices are data in ``catalog/``.
"""
