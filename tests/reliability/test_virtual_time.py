"""The real clean-up code against thousands of runs that go wrong, in virtual time."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.reliability.virtual import QUARTER_HOUR, Story
from tests.reliability.world import Faults

pytestmark = pytest.mark.slow

HOUR = 3600.0
TWENTY_MINUTES = 20 * 60


def lived(runs: int, *, seed: int = 7, sweeps: bool = True) -> Story:
    """A story of so many runs, one every half minute, and the hours after the last."""
    story = Story(seed, sweeps=sweeps)
    for number in range(runs):
        story.start(number, 30.0 * number)
    story.clock.run(30.0 * runs + 12 * HOUR)
    return story


def test_nothing_is_left_after_runs_of_every_kind() -> None:
    """Aborted, failed, kept, not to be looked up, with lost answers: all is gone, and in time."""
    story = lived(400)
    assert story.world.refused
    assert story.world.given_up, "the world saw to it that nobody took these away before"
    assert sum(story.endings.values()) == 400
    assert set(story.endings) == {"SUCCEEDED", "FAILED", "ABORTED"}
    assert story.left() == {}
    assert all(story.world.delays.values()), "of each kind something had to be removed"
    assert {kind: max(each) for kind, each in story.world.delays.items()} == pytest.approx(
        dict.fromkeys(story.world.delays, 0.0), abs=TWENTY_MINUTES
    )


def test_the_world_is_hard_enough_to_need_the_sweeper() -> None:
    """Without it the same runs leave something, so its absence would be noticed."""
    assert lived(400, sweeps=False).left() != {}


class CleaningUp(RuleBasedStateMachine):
    """Any order of starts, aborts, waits and faults; in the end there is nothing."""

    def __init__(self) -> None:
        super().__init__()
        calm = dict.fromkeys(Faults.__dataclass_fields__, 0.0)
        self.story = Story(1, Faults(**calm))
        self.started = 0

    def _set(self, **odds: float) -> None:
        self.story.odds = Faults(**{**vars(self.story.odds), **odds})

    @rule(seconds=st.integers(1, 900))
    def time_passes(self, seconds: int) -> None:
        """Let everything go on."""
        self.story.clock.run(self.story.clock.now + seconds)

    @rule()
    def start(self) -> None:
        """Start a run."""
        self.started += 1
        self.story.start(self.started)
        self.story.clock.run(self.story.clock.now + 1)

    @rule(which=st.integers(0, 9))
    def abort(self, which: int) -> None:
        """Stop one that runs."""
        running = self.story.running()
        if running:
            self.story.abort(running[which % len(running)])

    @rule()
    def replace_machine(self) -> None:
        """A deployment replaces the state machine, under runs and kept endpoints alike."""
        self.story.replace_machine()

    @rule(odds=st.sampled_from([0.0, 0.3, 0.9]))
    def throttle(self, odds: float) -> None:
        """SageMaker and Step Functions refuse calls."""
        self._set(throttle=odds)

    @rule(odds=st.sampled_from([0.0, 0.1]))
    def lose_answers(self, odds: float) -> None:
        """Calls take effect and their answers do not come."""
        self._set(lost=odds)

    @rule(
        name=st.sampled_from(
            [
                *("stuck", "endpoint_fails", "step_fails", "kept", "late"),
                *("event_lost", "function_dies", "refused", "taken", "built", "deployed"),
            ]
        ),
        odds=st.sampled_from([0.0, 1.0]),
    )
    def go_wrong(self, name: str, odds: float) -> None:
        """One kind of trouble begins or ends."""
        self._set(**{name: odds})

    @invariant()
    def a_live_endpoint_has_its_configuration(self) -> None:
        """SageMaker could go on billing an endpoint that it can no longer describe."""
        things = self.story.world.things
        for endpoint in things["endpoint"].values():
            assert endpoint.status == "Deleting" or set(endpoint.uses) <= set(
                things["endpoint-config"]
            )

    def teardown(self) -> None:
        """Once calls are answered again, hours later nothing is left."""
        self._set(throttle=0.0, lost=0.0, function_dies=0.0)
        self.story.clock.run(self.story.clock.now + 12 * HOUR + QUARTER_HOUR)
        assert self.story.running() == []
        assert self.story.left() == {}


TestCleaningUp: Any = CleaningUp.TestCase
TestCleaningUp.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
