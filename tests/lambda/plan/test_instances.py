"""The instance types that SageMaker has."""

from spine.shipped import load

instances = load("plan.instances")


def test_instance_types_come_from_botocores_model() -> None:
    """The three uses have their own lists, and the defaults are on them."""
    known = instances.known()
    assert "ml.m5.xlarge" in known["training"]
    assert "ml.t2.medium" in known["endpoint"] - known["transform"]
    assert instances.known() is known
