"""Tools that the gateway runs for a model: which there are, what follows a model's turn, and what a call costs.

    catalog.py      the operator's tools, read and checked
    rows.py         what a row of the catalog holds: executor, hosting, price, rate limit
    toolbox.py      which of a request's tools are run here
    loop.py         what follows a model's turn: the next round, a closing request, or the end. Pure
    round.py        the calls of one turn, side by side
    call.py         the story of one call: key, limit, run, try again, price
    pricing.py      what a run costs, and what it uses up. Pure
    outcome.py      what a call came to, for the model and for the answer
    arguments.py    the model's arguments and the configured ones, as one
    template.py     an HTTP tool's request, filled with arguments: headers and body. Pure
    uri_template.py the same for its URL. Pure
    placeholder.py  a name that stands in a template, and the argument that takes its place. Pure
    expression.py   prices and counts that an operator writes as arithmetic. Pure
    limit.py        what a limiter is asked and what it answers; line.py: the bucket and the queue, as values. Pure

What runs a tool (``executor.py`` has the port) and where limits are kept is ``outside/``. When charges are written down
is ``exchange.py``'s and ``billing/``'s.
"""
