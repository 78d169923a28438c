"""The dialects callers speak, one each: their words to ``chat.py`` and ``answer.py`` back to theirs. Pure."""
