"""Runs in virtual time against an in-memory SageMaker, cleaned up by the real clean-up code.

What is modelled: the state machine (creations, retries and adoption, the failure path with its
retries), EventBridge and Lambda (lost and repeated events, two more tries for a failed call), and
SageMaker with its states, throttling, lost answers and stuck creations. What is real: everything
in `lambda/cleanup`.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from spine.shipped import load
from tests.fake_sagemaker import BEGIN, FakeStepFunctions
from tests.reliability.clock import Clock
from tests.reliability.world import LONGEST_RUN, PREFIX, Faults, Reliable, World, base
from tests.support import client_error

kinds = load("common.kinds")
removal = load("cleanup.removal")
waiting = load("cleanup.backoff")
sweeping = load("cleanup.sweep")
names = load("common.names")

_EXECUTIONS = "arn:aws:states:us-east-1:000000000000:execution:spine"
QUARTER_HOUR = 900.0


class Aborted(Exception):  # noqa: N818 (no error: somebody stopped the execution)
    """The execution was stopped while it slept."""


@dataclass
class Story:
    """A deployment's life: runs, bad endings' events, and the sweeper.

    Attributes:
        seed: The same seed and the same calls give the same story.
        odds: What goes wrong; may be replaced at any time.
    """

    seed: int
    odds: Faults = field(default_factory=Faults)
    sweeps: bool = True

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.world = World(self.clock)
        self.executions = FakeStepFunctions()
        self.chance = random.Random(self.seed)  # noqa: S311 (not for secrets)
        self.client = Reliable(self.world, lambda: self.odds, self.chance)
        self.once = Reliable(self.world, lambda: self.odds, self.chance, attempts=1)
        self.states = Reliable(self.executions, lambda: self.odds, self.chance)
        self.endings: dict[str, int] = {}
        self.stops: set[str] = set()
        self.sweep_errors = 0
        if self.sweeps:
            self.clock.at(QUARTER_HOUR, self._by_the_clock)

    def start(self, number: int, after: float = 0.0) -> str:
        """Start a run; return its execution's ARN."""
        arn = f"{_EXECUTIONS}:run-{number}"
        if self.chance.random() < self.odds.replaced:
            self.clock.at(after, self.replace_machine)
        if self.chance.random() < self.odds.refused:
            self.clock.at(after + self.chance.uniform(0, 7200), lambda: self.refuse(arn))
        self.clock.spawn(after, lambda: Run(self, arn).live())
        return arn

    def replace_machine(self) -> None:
        """A deployment replaces the state machine: no execution so far can be looked up."""
        for arn in self.executions.statuses:
            self.refuse(arn)

    def refuse(self, arn: str) -> None:
        """From now on a lookup of this execution is refused."""
        codes = ("AccessDeniedException", "InvalidArn")
        self.executions.refused[arn] = self.chance.choice(codes)
        self.world.refused.add(base(arn))

    def running(self) -> list[str]:
        """The executions that are running."""
        return [arn for arn, status in self.executions.statuses.items() if status == "RUNNING"]

    def abort(self, arn: str) -> None:
        """Stop an execution: nothing of it runs on, its event goes out."""
        if self.executions.statuses.get(arn) == "RUNNING":
            self.stops.add(arn)
            self.ended(arn, "ABORTED")
            if self.chance.random() < self.odds.late:
                self.clock.at(self.chance.uniform(0, 10), lambda: self._late(arn))

    def _late(self, arn: str) -> None:
        run = base(arn)
        things = self.world.things
        if run in things["endpoint-config"] and run not in things["endpoint"]:
            tags = {"run": names.run_id_of(arn), "execution": arn, "stage": "dev"}
            until = self.clock.now + 300
            self.world.add("endpoint", run, status="Creating", until=until, **tags)

    def ended(self, arn: str, status: str) -> None:
        """Note an execution's end and send its event."""
        self.executions.statuses[arn] = status
        self.endings[status] = self.endings.get(status, 0) + 1
        self.world.ended.setdefault(base(arn), self.clock.now)
        if status == "SUCCEEDED" or self.chance.random() < self.odds.event_lost:
            return
        for _ in range(2 if self.chance.random() < self.odds.event_twice else 1):
            self.clock.spawn(self.chance.uniform(0.5, 5), lambda: self._by_event(arn))

    def sweep(self, scope: str | None, seconds: float) -> dict[str, Any]:
        """The real sweeper, once."""
        done: dict[str, Any] = sweeping.sweep(
            self.client,
            self.states,
            PREFIX,
            scope=scope,
            longest_run=LONGEST_RUN,
            now=lambda: BEGIN + timedelta(seconds=self.clock.now),
            backoff=waiting.Backoff(seconds, self.clock.sleep),
        )
        return done

    def _by_event(self, arn: str) -> None:
        # Lambda repeats a failed asynchronous call after one minute and after two more.
        for pause in (60, 120, 0):
            if self.chance.random() >= self.odds.function_dies:
                done = self.sweep(base(arn), 570)
                if not done["failures"] and not done["pending"]:
                    return
            if pause:
                self.clock.sleep(pause)

    def _by_the_clock(self) -> None:
        def body() -> None:
            for pause in (60, 120, 0):
                if not self.sweep(None, 60)["failures"]:
                    return
                self.sweep_errors += 1
                if pause:
                    self.clock.sleep(pause)

        self.clock.spawn(0, body)
        self.clock.at(QUARTER_HOUR, self._by_the_clock)

    def left(self) -> dict[str, list[str]]:
        """What is there of ended runs that costs money or holds a name, by kind.

        What a person serves with may be, and the model of a run of which nobody can know how it
        ended.
        """
        self.world.tick()
        over = {arn for arn, status in self.executions.statuses.items() if status != "RUNNING"}
        used = {
            kind: {each for name in theirs for each in self.world.things[kind][name].uses}
            for kind, theirs in self.world.theirs.items()
        }
        # A component uses the model alone; an endpoint its configuration, and that the model.
        models = self.world.refused | used["inference-component"]
        found = {
            kind.resource_type: sorted(
                name
                for name in self.world.names(kind.resource_type)
                if self.world.things[kind.resource_type][name].tags.get("spine:execution") in over
                and name not in used["endpoint"]
                and not (kind.is_result and name in models)
            )
            for kind in kinds.KINDS
        }
        return {kind: names for kind, names in found.items() if names}


# What a run makes at a step of its own.
_KNOWN = {
    *("processing-job", "training-job", "transform-job"),
    *("endpoint", "endpoint-config", "model"),
}


class Run:
    """One execution of the state machine, as far as SageMaker notices."""

    def __init__(self, story: Story, arn: str) -> None:
        self._story, self._arn, self._base = story, arn, base(arn)
        self._odds, self._chance = story.odds, story.chance
        self._tags = {"run": names.run_id_of(arn), "execution": arn, "stage": "dev"}

    def live(self) -> None:
        """Live from the first state to the last, or until somebody stops it."""
        story = self._story
        story.executions.statuses[self._arn] = "RUNNING"
        if self._chance.random() < self._odds.aborted:
            story.clock.at(self._chance.uniform(0, 900), lambda: story.abort(self._arn))
        try:
            status = self._steps()
        except Aborted:
            return
        if self._arn in story.stops:
            return
        story.ended(self._arn, status)

    def _steps(self) -> str:
        try:
            self._prepare()
            self._job("training-job", self._chance.uniform(120, 300))
            self._further()
            self._create("model", lambda: self._add("model"))
            self._deploy()
            self._create("endpoint-config", lambda: self._add("endpoint-config"))
            self._create("endpoint", self._add_endpoint)
            self._in_service()
            self._job("transform-job", self._chance.uniform(60, 200))
            self._sleep(1, 30)
            self._may_fail()
            if self._chance.random() < self._odds.kept:
                self._keep()
            else:
                self._clean_up()
        except Failed:
            self._clean_up(models=True)
            return "FAILED"
        # A good run's model is its result; nothing here looks at it again.
        self._story.world.things["model"].pop(self._base, None)
        return "SUCCEEDED"

    def _prepare(self) -> None:
        self._sleep(2, 20)
        if self._chance.random() < self._odds.large:
            self._job("processing-job", self._chance.uniform(120, 900))

    def _further(self) -> None:
        """Make one of whatever else the table holds, so that no kind is left out."""
        for kind in kinds.KINDS:
            if kind.resource_type in _KNOWN:
                continue
            if kind.is_job:
                self._job(kind.resource_type, self._chance.uniform(60, 300))
            else:
                self._create(kind.resource_type, partial(self._add, kind.resource_type))

    def _sleep(self, least: float, most: float | None = None) -> None:
        self._story.clock.sleep(self._chance.uniform(least, most or least))
        if self._arn in self._story.stops:
            raise Aborted

    def _may_fail(self) -> None:
        if self._chance.random() < self._odds.step_fails:
            raise Failed

    def _add(self, kind: str, suffix: str = "", **more: Any) -> None:
        (longest,) = (each.longest_name for each in kinds.KINDS if each.resource_type == kind)
        name = names.fitting(self._base, longest) + suffix
        if name in self._story.world.things[kind]:
            raise client_error("ValidationException", f"Cannot create already existing {kind}", "X")
        self._story.world.add(kind, name, **more, **self._tags)

    def _add_endpoint(self) -> None:
        stuck = self._chance.random() < self._odds.stuck
        until = self._story.clock.now + (3600 if stuck else self._chance.uniform(180, 480))
        self._add("endpoint", status="Creating", until=until)

    def _create(self, kind: str, add: Callable[[], None]) -> None:
        """Create, repeat what may pass, adopt what is there already: as the definition does."""
        for tries in range(5):
            try:
                Reliable(_Creation(add), lambda: self._story.odds, self._chance, 1).create()
                return
            except ClientError as error:
                if "already existing" in str(error):
                    return
                if tries == 4:
                    raise Failed from error
            self._sleep(1.5 * 2**tries, 3 * 2**tries)

    def _job(self, kind: str, seconds: float) -> None:
        """A job; one whose creation lost its answer runs on beside the next one's."""
        for tries in range(5):
            until = self._story.clock.now + seconds

            def add(tries: int = tries, until: float = until) -> None:
                self._add(kind, f"-0-{10 * tries}", status="InProgress", until=until)

            try:
                Reliable(_Creation(add), lambda: self._story.odds, self._chance, 1).create()
                break
            except ClientError as error:
                if tries == 4:
                    raise Failed from error
            self._sleep(1.5 * 2**tries, 3 * 2**tries)
        self._sleep(seconds)
        self._may_fail()

    def _in_service(self) -> None:
        fails = self._chance.random() < self._odds.endpoint_fails
        for pause in (1, 2, 4, 8, 15, 30, *[60] * 29):
            self._sleep(pause)
            self._story.world.tick()
            endpoint = self._story.world.things["endpoint"].get(self._base)
            if endpoint is None or (fails and endpoint.status != "Creating"):
                raise Failed
            if endpoint.status == "InService":
                return
        raise Failed

    def _deploy(self) -> None:
        """A person's own component serves with the model, for as long as the sweeper may see it."""
        world = self._story.world
        if self._chance.random() < self._odds.deployed:
            name = f"theirs-{self._base}"[:63]
            uses = (self._base,)
            world.add("inference-component", name, status="InService", on="another", uses=uses)
            until = self._story.clock.now + self._chance.uniform(0, 20_000)
            world.take("inference-component", name, self._base, until)

    def _keep(self) -> None:
        until = self._story.clock.now + self._chance.uniform(300, 3600)
        endpoint = self._story.world.things["endpoint"][self._base]
        moment = BEGIN + timedelta(seconds=until)
        endpoint.tags["spine:keep-until"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        world = self._story.world
        # The tag holds whole seconds.
        world.kept[self._base] = float(int(until))
        if self._chance.random() < self._odds.built:
            built = f"theirs-{self._base}"[:63]
            world.add("endpoint", built, status="InService", uses=(self._base,), owner="a-person")
            world.take("endpoint", built, self._base, until + self._chance.uniform(0, 20_000))
        if self._chance.random() < self._odds.taken:
            endpoint.tags = {"owner": "a-person"}
            until += self._chance.uniform(0, 20_000)
            world.take("endpoint", self._base, self._base, until)

    def _clean_up(self, *, models: bool = False) -> None:
        """The clean-up function with the definition's retries: 5 s, growing by half, 26 times."""
        self._story.world.ended.setdefault(self._base, self._story.clock.now)
        pause = 5.0
        for _ in range(27):
            try:
                removal.remove(
                    self._story.client,
                    self._base,
                    models=models,
                    backoff=waiting.Backoff(10, self._story.clock.sleep),
                )
                return
            except removal.EndpointBusyError:
                self._sleep(pause)
                pause = min(pause * 1.5, 120)
            except ClientError:
                return  # the state's Catch: the error that began it, and the sweeper


class Failed(Exception):  # noqa: N818 (a step's end, not a defect)
    """A step failed for good."""


class _Creation:
    def __init__(self, add: Callable[[], None]) -> None:
        self.create = add
