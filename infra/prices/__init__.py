"""Writes the catalog's price table: ``make prices``, or ``python -m infra.prices``.

    genai-prices (a development dependency)  ─┐    catalog/prices.json (models of the catalog)
    catalog/price_overrides.json (ours win)  ─┴→  catalog/prices_unlisted.json (ids of providers that list none)
                                                   a report on the terminal

``source.py`` reads the package, ``table.py`` joins the two and writes the files, ``report.py`` shows what came of it.

The gateway reads ``prices.json`` and never imports genai-prices itself: importing it takes about 180 ms and 1.6 MB
on every cold start, and an upgrade of the package could change a price that nobody looked at. Here every change of
a price is a line in a diff.

Every price is the one in force on one day, which the files name (``asOf``): today, unless another is asked for. To
change one price and no other, ask for the day that is there: ``make prices AS_OF=2026-06-30``.

An override is a price row as in ``prices.json`` with ``reason`` (why the package's price is not ours), ``source``
(where ours is published) and ``updatedAt`` (when we read it there):

    {"openai": {"gpt-9": {"input": "2", "output": "8", "updatedAt": "2026-06-11",
                          "reason": "the package does not list it", "source": "https://openai.com/api/pricing/"}}}

Instead of rates it may name another model of the same provider, whose price in the package it then has:

    {"openai": {"gpt-latest": {"sameAs": "gpt-9", "reason": "an alias of it", "source": "https://…"}}}
"""
