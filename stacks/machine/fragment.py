"""A piece of a machine: entered at one state, left at any number of ends."""

from collections.abc import Callable
from dataclasses import dataclass

from aws_cdk import aws_stepfunctions as sfn

# Given the state that follows, leads there: a state's `next`, or one way of a choice.
End = Callable[[sfn.State], object]


@dataclass(frozen=True, kw_only=True)
class Fragment:
    """States that hang together, whatever comes after them.

    CDK's own chains end in states only; here a way of a choice may be an end, too, so that no state
    has to stand in for the successor that is not known yet.

    Attributes:
        start: Where it is entered.
        ends: What leads on to the fragment that follows.
        done: What leads to the end of the machine, past everything that follows.
    """

    start: sfn.State
    ends: tuple[End, ...] = ()
    done: tuple[End, ...] = ()

    def next(self, following: "Fragment") -> "Fragment":
        """Lead every end to another fragment; what both are together ends where that one does."""
        for end in self.ends:
            end(following.start)
        return Fragment(start=self.start, ends=following.ends, done=(*self.done, *following.done))


def of(state: sfn.CustomState | sfn.Pass | sfn.Wait | sfn.Parallel) -> Fragment:
    """One state that has one successor."""
    return Fragment(start=state, ends=(state.next,))
