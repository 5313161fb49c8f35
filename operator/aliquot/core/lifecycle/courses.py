"""Which course a workload runs: the one place that knows the kinds apart."""

from aliquot.core.lifecycle.course import Course
from aliquot.core.lifecycle.endless import Endless
from aliquot.core.lifecycle.gang import Gang
from aliquot.core.lifecycle.indexed import Indexed
from aliquot.core.submission import Valid, ValidDistributed, ValidInteractive, ValidSpec


def course_of(spec: Valid) -> Course:
    """Return the course of a workload that asks for `spec`."""
    match spec:
        case ValidSpec():
            return Indexed(spec)
        case ValidInteractive():
            return Endless(spec)
        case ValidDistributed() if spec.job_type != "MPIJob":
            return Gang(spec)
        case _:
            raise AssertionError(f"nobody carries out {type(spec).__name__}")
