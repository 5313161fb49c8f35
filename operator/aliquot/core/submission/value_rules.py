"""Rules about one value (crd-contract.md, Rules): bounds, steps, choices, forms.

Amounts are compared as amounts: "0.5" and "500m" are the same, "80Gi" is more than "80G".
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final, cast

from aliquot.contracts.kinds.rules import DecimalRules, IntRules, Option, QuantityRules, Rules, StringRules
from aliquot.core.quantities import InvalidQuantityError, parse_quantity

_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_FORMS: Final[dict[str, tuple[str, str]]] = {
    "envVar": (r"[-._a-zA-Z][-._a-zA-Z0-9]*", "the name of an environment variable"),
    "password": (r"(?s:.*)", "a text"),
    "email": (r"[^@\s]+@[^@\s]+", "an e-mail address"),
    "volume": (r"/[^\0]*(?::[^\0]*)?", "an absolute path"),
    "kubeName": (rf"{_LABEL}(?:\.{_LABEL})*", "the name of an object in Kubernetes"),
    "name": (r"[a-z](?:[-a-z0-9]*[a-z0-9])?", "lower-case letters, digits and '-', with a letter first"),
    "duration": (r"(?:[0-9]+[smhd])+", "a duration, such as 30s, 5m or 2h"),
    "imageName": (r"[A-Za-z0-9\[][-A-Za-z0-9_.:/@+\[\]]*", "a container image"),
}
_AMOUNT_FORMS: Final = ("memory", "gpuMemory")
_HIGHEST_PORT: Final = 65535


def rule_problems(rules: Rules, value: bool | int | str) -> tuple[str, ...]:
    """Say everything that is wrong with a value, each as what it must be: "no greater than 4".

    Args:
        rules: those that go with the value's type.
        value: as it is written.
    """
    return tuple(_problems(rules, value))


def same_amount(left: str, right: str) -> bool:
    """Whether two texts are amounts, and the same."""
    amount = _amount(left)
    return amount is not None and amount == _amount(right)


def unfulfillable(rules: Rules) -> tuple[str, ...]:
    """Say why no value at all can keep the rules; empty: there is one.

    Each is a sentence's end after the parameter's name.
    """
    return tuple(_contradictions(rules))


def _problems(rules: Rules, value: bool | int | str) -> Iterable[str]:
    match rules:
        case IntRules():
            yield from _out_of_bounds(Decimal(cast("int", value)), rules.min, rules.max, str)
            if rules.format == "port" and not 1 <= cast("int", value) <= _HIGHEST_PORT:
                yield f"a port, from 1 to {_HIGHEST_PORT}"
        case DecimalRules() | QuantityRules():
            amount = _amount(str(value))
            if amount is None:
                yield "an amount, such as 2 or 0.5"
                return
            yield from _out_of_bounds(amount, rules.min, rules.max, str)
            if isinstance(rules, DecimalRules):
                yield from _beside_steps(amount, rules)
            else:
                yield from _not_offered(rules.options, lambda offered: same_amount(offered, str(value)))
        case StringRules():
            yield from _not_offered(rules.options, lambda offered: offered == value)
            yield from _not_of_form(rules.format, str(value))
        case _:
            return


def _amount(written: str | int | None) -> Decimal | None:
    if written is None:
        return None
    try:
        return parse_quantity(written)
    except InvalidQuantityError:
        return None


def _out_of_bounds(
    amount: Decimal, least: str | int | None, most: str | int | None, shown: Callable[[Any], str]
) -> Iterable[str]:
    floor, ceiling = _amount(least), _amount(most)
    if floor is not None and amount < floor:
        yield f"no less than {shown(least)}"
    if ceiling is not None and amount > ceiling:
        yield f"no greater than {shown(most)}"


def _beside_steps(amount: Decimal, rules: DecimalRules) -> Iterable[str]:
    step, start = _amount(rules.step), _amount(rules.min) or Decimal(0)
    if step and (amount - start) % step:
        yield f"{rules.min or 0} plus a multiple of {rules.step}"


def _not_offered(options: tuple[Option, ...], fits: Callable[[str], bool]) -> Iterable[str]:
    offered = _offered(options)
    if options and not any(map(fits, offered)):
        yield f"one of {', '.join(offered)}" if offered else "left out: nothing that is offered may be chosen"


def _offered(options: tuple[Option, ...]) -> list[str]:
    return [option.value for option in options if option.value is not None and not option.disabled]


def _not_of_form(form: str | None, value: str) -> Iterable[str]:
    if form in _AMOUNT_FORMS and _amount(value) is None:
        yield "an amount of memory, such as 500M or 80Gi"
    elif form in _FORMS:
        pattern, allowed = _FORMS[form]
        if not re.fullmatch(pattern, value, re.ASCII):
            yield allowed


def _contradictions(rules: Rules) -> Iterable[str]:
    if isinstance(rules, IntRules | DecimalRules | QuantityRules):
        for name, bound in (("min", rules.min), ("max", rules.max)):
            if bound is not None and _amount(bound) is None:
                yield f"{name} must be an amount, not {bound!r}"
        least, most = _amount(rules.min), _amount(rules.max)
        if least is not None and most is not None and least > most:
            yield f"min must be no greater than max, which is {rules.max}"
    if isinstance(rules, IntRules) and rules.format == "port" and not _leaves_a_port(rules):
        yield f"min and max must leave a port, from 1 to {_HIGHEST_PORT}"
    if isinstance(rules, DecimalRules) and rules.step is not None and (_amount(rules.step) or 0) <= 0:
        yield f"step must be more than 0, not {rules.step}"
    if isinstance(rules, StringRules | QuantityRules) and rules.options and not _choosable(rules):
        yield "options must offer a value that the other rules allow"


def _choosable(rules: StringRules | QuantityRules) -> bool:
    return any(not rule_problems(rules, value) for value in _offered(rules.options))


def _leaves_a_port(rules: IntRules) -> bool:
    least, most = rules.min, rules.max
    return (least is None or least <= _HIGHEST_PORT) and (most is None or most >= 1)
