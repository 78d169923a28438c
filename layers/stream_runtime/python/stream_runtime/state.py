r"""What may follow what in the answer to one invocation.

An invocation is answered once: whole (`RESPOND`), as a stream (`OPEN`, any number of `WRITE`, then `FINISH` or
`BREAK_OFF`), or refused (`REFUSE`, the `error` call). The rule behind the table is the Runtime API's: once the first
byte of an answer has left, `error` is forbidden (403 InvalidStateTransition), and a failure is told in the trailers
that `BREAK_OFF` sends. `LOSE` is not ours to choose: the connection went away.

A pair that is not in the table cannot happen; trying it is a bug of ours and raises StateError.

            RECEIVED --RESPOND--> ANSWERED
               | \---REFUSE----> REFUSED
              OPEN
               v
            STREAMING --WRITE--> STREAMING
               | \---FINISH----> ANSWERED
               |  \--BREAK_OFF-> BROKEN_OFF
               \----LOSE-------> LOST              (LOSE also leads there from RECEIVED)
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto


class State(Enum):
    """How far an answer has come."""

    RECEIVED = auto()
    STREAMING = auto()
    ANSWERED = auto()
    REFUSED = auto()
    BROKEN_OFF = auto()
    LOST = auto()


class Move(Enum):
    """What can be done with an answer."""

    RESPOND = auto()
    REFUSE = auto()
    OPEN = auto()
    WRITE = auto()
    FINISH = auto()
    BREAK_OFF = auto()
    LOSE = auto()


MOVES: Mapping[tuple[State, Move], State] = {
    (State.RECEIVED, Move.RESPOND): State.ANSWERED,
    (State.RECEIVED, Move.REFUSE): State.REFUSED,
    (State.RECEIVED, Move.OPEN): State.STREAMING,
    (State.RECEIVED, Move.LOSE): State.LOST,
    (State.STREAMING, Move.WRITE): State.STREAMING,
    (State.STREAMING, Move.FINISH): State.ANSWERED,
    (State.STREAMING, Move.BREAK_OFF): State.BROKEN_OFF,
    (State.STREAMING, Move.LOSE): State.LOST,
}


class StateError(Exception):
    """The runtime tried to answer in an order the protocol does not have."""


def after(state: State, move: Move) -> State:
    """The state that `move` leads to. Raises StateError when the protocol has no such step."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise StateError(f"{move.name} cannot follow {state.name}") from None
