"""Kinds of values in a state file: what NVML's types can carry, in the spellings that the library reads."""

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints


def _yes_or_no(value: object) -> object:
    if isinstance(value, str):
        if value not in ("yes", "no"):
            message = "allowed are 'yes' and 'no'"
            raise ValueError(message)
        return value == "yes"
    return value


def _decimal(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdecimal()):
        message = "allowed are decimal digits"
        raise ValueError(message)
    return value


# The library takes only these spellings, pydantic by itself would take more.
Switch = Annotated[bool, BeforeValidator(_yes_or_no)]
Integer = Annotated[int, BeforeValidator(_decimal)]
# NVML hands texts over in buffers of 96 bytes.
Text = Annotated[str, StringConstraints(pattern=r"^[!-~]([ -~]{0,93}[!-~])?$")]
Word = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,95}$")]
Number = Annotated[Integer, Field(ge=0, lt=2**32 - 1)]
Counter = Annotated[Integer, Field(ge=0, lt=2**64 - 1)]
Mebibytes = Annotated[Integer, Field(ge=0, lt=2**43)]
Function = Annotated[str, StringConstraints(pattern=r"^(\*|nvml[A-Za-z0-9_]{1,58})$")]
Pid = Annotated[Integer, Field(ge=0, lt=2**32)]
