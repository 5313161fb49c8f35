"""A process that uses NVML as anybody does, by pynvml, and is told by lines of JSON which function to call.

A request is `[function, *arguments]`; an argument `{"kept": N}` is what the Nth request returned. The answer has the
`value`, or the `error` and its `code`. A function with `&` before it is called in a thread of its own, and its answer
comes when it returns.
"""

import ctypes
import json
import sys
from importlib import import_module
from threading import Lock, Thread
from typing import Any

pynvml: Any = import_module("pynvml")  # has no types


def plain(value: Any) -> Any:
    """Structures as dictionaries, so that JSON can carry them; None for handles."""
    fields: dict[str, Any] = getattr(value, "__dict__", {})
    match value:
        case None | int() | float() | str():
            return value
        case bytes():
            return value.decode()
        case ctypes.c_uint():
            return value.value
        case ctypes.Structure():
            return {field[0]: plain(getattr(value, field[0])) for field in value._fields_}
        case _ if hasattr(value, "__len__"):
            return [plain(element) for element in value]
        case _:
            return {name: plain(element) for name, element in fields.items()} or None


def field_value(field: Any) -> int | None:
    if field.nvmlReturn != pynvml.NVML_SUCCESS:
        return None
    return field.value.uiVal if field.valueType == pynvml.NVML_VALUE_TYPE_UNSIGNED_INT else field.value.ullVal


def told(function: str, value: Any) -> Any:
    match function:
        case "nvmlDeviceGetFieldValues":
            return [field_value(field) for field in value]
        case "nvmlEventSetWait_v2":
            return {**plain(value), "device": pynvml.nvmlDeviceGetUUID(value.device)}
        case _:
            return plain(value)


def perform(number: int, function: str, arguments: list[Any]) -> None:
    value: Any = None
    try:
        value = getattr(pynvml, function)(*(kept[a["kept"]] if isinstance(a, dict) else a for a in arguments))
        answer: dict[str, Any] = {"value": told(function, value)}
    except (pynvml.NVMLError, pynvml.NVMLLibraryMismatchError) as problem:
        answer = {"error": type(problem).__name__, "code": getattr(problem, "value", None)}
    kept[number] = value
    with speaking:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


kept: list[Any] = []
speaking = Lock()
for number, line in enumerate(sys.stdin):
    function, *arguments = json.loads(line)
    kept.append(None)
    if function.startswith("&"):
        Thread(target=perform, args=(number, function[1:], arguments), daemon=True).start()
    else:
        perform(number, function, arguments)
