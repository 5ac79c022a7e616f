"""SageMaker in virtual time, and what goes wrong with it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from spine.shipped import load
from tests.fake_sagemaker import FakeSageMaker
from tests.reliability.clock import Clock
from tests.support import client_error

kinds = load("common.kinds")
names = load("common.names")

PREFIX = "spine-dev"
# No run here takes as long: what cannot be looked up is over an hour later.
LONGEST_RUN = timedelta(hours=3)
_OVER = (LONGEST_RUN + timedelta(hours=1)).total_seconds()


def base(arn: str) -> str:
    """What a run's resources are called."""
    found: str = names.base_name(PREFIX, names.run_id_of(arn))
    return found


@dataclass(frozen=True)
class Faults:
    """How often what goes wrong, as probabilities.

    Attributes:
        throttle: A call is refused; boto3 tries four more times.
        lost: A call takes effect and its answer is lost; boto3 tries again, Step Functions asks.
        stuck: An endpoint takes an hour to be created, and cannot be deleted meanwhile.
        endpoint_fails: An endpoint ends as Failed.
        step_fails: A step of the run fails for good.
        aborted: Somebody stops the run at some moment.
        large: The file is large, so that a job prepares it rather than a function.
        kept: The endpoint is kept for up to an hour.
        refused: From some moment on, the run's execution cannot be looked up any more.
        replaced: Before the run starts, the state machine is replaced: that goes for all before it.
        taken: A person makes the kept endpoint their own: its tags are gone.
        built: A person builds an endpoint of their own on the configuration of a kept one.
        deployed: A person puts an inference component with the run's model onto an endpoint of
            their own.
        late: The endpoint that a stopped run was asking for comes after all, seconds later.
        event_lost: The event of a bad ending never arrives.
        event_twice: It arrives twice.
        function_dies: The function that it calls ends before it did anything.
    """

    throttle: float = 0.10
    lost: float = 0.03
    stuck: float = 0.05
    endpoint_fails: float = 0.05
    step_fails: float = 0.05
    aborted: float = 0.6
    large: float = 0.4
    kept: float = 0.2
    refused: float = 0.02
    replaced: float = 0.002
    taken: float = 0.1
    built: float = 0.1
    deployed: float = 0.1
    late: float = 0.05
    event_lost: float = 0.01
    event_twice: float = 0.10
    function_dies: float = 0.10


class World(FakeSageMaker):
    """SageMaker by the clock, with a note of when each thing could have gone and when it did.

    Attributes:
        ended: When each run ended, or began to clean up, by what its resources are called.
        kept: Until when its endpoint was kept.
        newest: When the last of what it has was made.
        refused: The runs that cannot be looked up.
        theirs: The endpoints and inference components that are a person's at present, by kind.
        given_up: When a person gave up the last endpoint that used what a run made, by run.
        taken: How many things of a person's used what a run made and are given up.
        delays: Seconds between the two, by kind: for what cannot be deleted at any time from when
            SageMaker would have let it go, for what outlives it from when it was gone.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(page=100, tag_page=50)
        self.clock = clock
        self.ended: dict[str, float] = {}
        self.kept: dict[str, float] = {}
        self.newest: dict[str, float] = {}
        self.refused: set[str] = set()
        self.theirs: dict[str, set[str]] = {"endpoint": set(), "inference-component": set()}
        self.given_up: dict[str, float] = {}
        self.taken = 0
        self.delays: dict[str, list[float]] = {
            kind.resource_type: [] for kind in kinds.KINDS if not kind.is_result
        }
        self._gone: dict[str, float] = {}

    def add(self, kind: str, name: str, **more: Any) -> None:
        """Put something there, and note when its run was last seen to make something."""
        self.now = self.clock.now
        super().add(kind, name, **more)
        if "execution" in more:
            self.newest[base(more["execution"])] = self.now

    def take(self, kind: str, name: str, run: str, until: float) -> None:
        """Somebody serves with a thing that uses what a run made, and deletes it one day."""

        def give_up() -> None:
            del self.things[kind][name]
            self.theirs[kind].remove(name)
            self.taken += 1
            if kind == "endpoint":
                self.given_up[run] = self.clock.now

        self.theirs[kind].add(name)
        self.clock.at(until - self.clock.now, give_up)

    def tick(self) -> None:
        """Bring the states up to date."""
        self.now = self.clock.now
        for things in self._changing:
            for name, thing in list(things.items()):
                if thing.status == "Deleting":
                    self._gone[thing.tags["spine:execution"]] = thing.until
                ended = thing.status == "InProgress" and self.now >= thing.until
                if ended or thing.status == "Stopped":
                    del things[name]
        self.sleep(0)

    def _delete(self, kind: Any, **request: str) -> dict[str, Any]:
        name = request[kind.name_member]
        thing = self.things[kind.resource_type].get(name)
        status, until = (thing.status, thing.until) if thing else ("Deleting", 0.0)
        if thing and kind.billed:
            assert name not in self.theirs["endpoint"], "it is a person's"
            assert name in self.ended, "its run goes on"
            assert self.now >= self.kept.get(name, 0.0), "it is kept"
        answer = super()._delete(kind, **request)
        if thing and status != "Deleting" and not kind.is_result:
            execution = thing.tags["spine:execution"]
            run = base(execution)
            possible = until if kind.in_progress else self._gone.get(execution, 0.0)
            self._note(kind, run, max(possible, self.kept.get(run, 0.0)))
        return answer

    def _stop(self, kind: Any, **request: str) -> dict[str, Any]:
        answer = super()._stop(kind, **request)
        job = self.things[kind.resource_type][request[kind.name_member]]
        self._note(kind, base(job.tags["spine:execution"]), 0.0)
        return answer

    def _note(self, kind: Any, run: str, possible: float) -> None:
        ended = self.ended.get(run, self.now)
        due = max(possible, ended, self.given_up.get(run, 0.0))
        if run in self.refused and (run not in self.kept or run in self.given_up):
            # Nothing says until when it is kept, so age alone tells that the run is over.
            due = max(due, min(self.now, self.newest[run] + _OVER))
        self.delays[kind.resource_type].append(self.now - due)


class Reliable:
    """A client as boto3 is: five attempts at a call, each of which may go wrong.

    Args:
        world: What is called.
        odds: The faults; read at each call, so they may change.
        chance: The source of chance.
        attempts: One for Step Functions' own calls.
    """

    def __init__(
        self, world: Any, odds: Callable[[], Faults], chance: random.Random, attempts: int = 5
    ) -> None:
        self._world, self._odds, self._chance, self._attempts = world, odds, chance, attempts

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            for attempt in range(self._attempts):
                try:
                    return self._once(operation, request)
                except ClientError as error:
                    code = error.response["Error"]["Code"]
                    if (
                        code not in ("ThrottlingException", "InternalFailure")
                        or attempt == self._attempts - 1
                    ):
                        raise
            raise AssertionError("the loop ends by return or raise")

        return call

    def _once(self, operation: str, request: dict[str, Any]) -> Any:
        odds, luck = self._odds(), self._chance.random()
        if luck < odds.throttle:
            raise client_error("ThrottlingException", "Rate exceeded", operation)
        if hasattr(self._world, "tick"):
            self._world.tick()
        answer = getattr(self._world, operation)(**request)
        if luck > 1 - odds.lost:
            raise client_error("InternalFailure", "The answer is lost.", operation, 500)
        return answer
