"""Where the affinity of pods lets tasks of one shape go in a draft, and where they would rather be.

A task is near to others that are on nodes with the same value of the term's label (scheduling.md 2.4; as kube-scheduler
does). Far from those who are there or come: a task that starts now keeps off both those who stop and those who were
promised room; near only to those who are there and stay.
"""

from collections.abc import Callable, Mapping

import numpy as np

from aliquot.core.scheduling.facts import PodTerm
from aliquot.core.scheduling.state.affinity import Company, who
from aliquot.core.scheduling.state.crowd import There
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.nodes import Amounts, Mask


class Neighbours:
    """What the tasks of a draft mean for tasks of one shape."""

    def __init__(self, draft: Draft, company: Company, *, now: bool) -> None:
        self._draft = draft
        self._company = company
        self._most: Callable[[There], int] = _ever if now else _later
        self._least: Callable[[There], int] = _staying if now else _later
        self._seen = -1

    def changed(self) -> bool:
        """Whether the answers may differ from those at the last call."""
        crowd = self._draft.crowd
        version = crowd.version if self._company.demands else crowd.far_version
        changed = version != self._seen
        self._seen = version
        return changed

    def apart(self) -> Mask:
        """Per row, whether nobody is near who must be far."""
        nodes, crowd = self._draft.nodes, self._draft.crowd
        allowed = np.ones(len(nodes.usable), np.bool_)
        for term in self._company.far_required:
            allowed &= self._near(term, crowd.view(who(term)), self._most) == 0
        for term, holders in crowd.repelling().items():
            if self._company.meets(term):
                allowed &= self._near(term, holders, self._most) == 0
        return allowed

    def together(self) -> Mask:
        """Per row, whether for every term somebody is near who must be; where nobody is anywhere, it may begin."""
        nodes = self._draft.nodes
        allowed = np.ones(len(nodes.usable), np.bool_)
        for term in self._company.near_required:
            near = self._near(term, self._draft.crowd.view(who(term)), self._least)
            if near.any() or not self._company.meets(term):
                allowed &= near > 0
            else:
                allowed &= nodes.domains(term.topology_key) >= 0
        return allowed

    def wishes(self) -> Amounts:
        """Per row, the weights of the preferred terms, for each task that is near."""
        sums = np.zeros(len(self._draft.nodes.usable), np.int64)
        for weight, term in self._company.wishes:
            sums += weight * self._near(term, self._draft.crowd.view(who(term)), self._least)
        return sums

    def _near(self, term: PodTerm, numbers: Mapping[int, There], count: Callable[[There], int]) -> Amounts:
        """Per row, how many of the tasks are near to it; none are near to a node without the label."""
        domains = self._draft.nodes.domains(term.topology_key)
        sums = np.zeros(int(domains.max(initial=-1)) + 2, np.int64)
        for row, held in numbers.items():
            sums[domains[row]] += count(held)
        sums[-1] = 0  # where the label is missing; domain -1
        return sums[domains]


def _later(there: There) -> int:
    return there.later


def _ever(there: There) -> int:
    """Those who are there, and those who come."""
    return there.now + there.later - there.staying


def _staying(there: There) -> int:
    return there.staying
