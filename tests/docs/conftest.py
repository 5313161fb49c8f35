"""Examples are tried on the platform that the tests of `cluster/` share."""

from tests.cluster.conftest import operator

__all__ = ["operator"]
