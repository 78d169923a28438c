"""How Keyway is put together outside Lambda: the cloud stacks and, in ``local``, the same system on one machine."""
