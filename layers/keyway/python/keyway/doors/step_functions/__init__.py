"""The Step Functions door: a bare event in, plain JSON or an exception out. Direct invocations use it too.

``event.py`` reads the event, ``answer.py`` makes a large answer fit, ``tasks.py`` tells the story of one task.
"""
