"""The deployed function in a container, by ``sam local invoke``, with AWS and the providers played on this machine.

What runs is the synthesised template and the built layers, in Lambda's own base image, started through the exec
wrapper: the nearest thing to a deployment that needs no account. SAM buffers what is streamed, so it says nothing about
timing. ``python -m infra.sam`` (``make sam``) is the command; it needs Docker, and says so where there is none.
"""
