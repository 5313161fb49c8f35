"""Kills an operator in the middle of one call of its own."""

from collections.abc import Callable

from aliquot_lab import Act, ApiRequest, Cut, FaultProxy, Rule
from tests.crashes.stage import MortalOperator


class Aim:
    """Kills an operator at the n-th call of some sort from now on.

    Args:
        proxy: the way of the calls.
        victim: the operator.
        is_about: which calls count.
        done: whether that call is carried out, and only its answer is lost.
    """

    def __init__(
        self, proxy: FaultProxy, victim: MortalOperator, is_about: Callable[[ApiRequest], bool], *, done: bool
    ) -> None:
        self.struck: ApiRequest | None = None
        self._is_about = is_about
        self._left = 0
        proxy.add(
            Rule(Act(lambda _: victim.kill(), after=done), when=self._strikes),
            Rule(Cut(after=done), when=lambda request: request is self.struck),
        )

    def at(self, nth: int) -> None:
        """Begin to count anew."""
        self.struck, self._left = None, nth

    def _strikes(self, request: ApiRequest) -> bool:
        if self.struck is None and self._is_about(request):
            self._left -= 1
            if self._left == 0:
                self.struck = request
        return request is self.struck
