"""The endpoint is waited for a bounded number of times."""

from gates.machine import Machine


def test_the_wait_for_the_endpoint_is_bounded(machine: Machine) -> None:
    """The only way back to the wait asks whether looks are left."""
    states = machine.states()
    (again,) = (
        choice
        for choice in states["Endpoint in service?"]["Choices"]
        if choice["Next"] == "Wait for the endpoint"
    )
    assert "$look < $count($plan.endpoint.polls)" in again["Condition"]
    assert states["Wait for the endpoint"]["Assign"] == {"look": "{% $look + 1 %}"}
    assert states["Endpoint in service?"]["Default"] == "Endpoint not in service"
    assert states["Endpoint not in service"]["Next"] == "Endpoint failed"
