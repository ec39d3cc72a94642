"""The types of fields in the catalogue, each with a remedy for invalid values.

A type refuses values that a host could not use: text ends up in configuration files, so it is one line of printable
characters, and numbers have bounds.
"""

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from nexus.catalogue import quantity
from nexus.catalogue.errors import nearest, short

T = TypeVar("T")
LARGEST = 2_000_000_000  # programs on hosts keep numbers in 31 bits
PATHS = {"api", "assets", "health", "portal", "closed"}  # what the edge itself has below its root
TAKEN = {  # names that the platform itself uses, as service, database or user
    *("router", "postgres", "template0", "template1"),
    *("nexus-admin", "nexus-replica", "nexus-sentinel", "nexus-health"),
}


class Entry(BaseModel):
    """Base of every entry: it refuses unknown fields, and is immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def with_hyphens(name: str) -> str:
    """The name of a field in files that use hyphens."""
    return name.replace("_", "-")


def wrong(text: str, *location: int | str) -> PydanticCustomError:
    """The error of a validator whose values do not fit together; the location is relative to the validated value."""
    return PydanticCustomError("wrong", "{text}", {"text": text, "location": location})


def _matching(pattern: str, remedy: str) -> AfterValidator:
    """A validator of text that matches this pattern as a whole."""
    expression = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if not expression.fullmatch(text):
            raise ValueError(remedy)
        return text

    return AfterValidator(check)


def _name_of(kind: str) -> AfterValidator:
    """A validator of references: the context of the validation has all names of each kind."""

    def check(name: T, info: ValidationInfo) -> T:
        known = (info.context or {}).get(kind)
        if known and name not in known:  # no names are known if their file cannot be read
            raise wrong(f"{short(repr(name))} is not a {kind} in the catalogue; {nearest(name, known)}")
        return name

    return AfterValidator(check)


def _line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("write one line of printable characters")
    return text


def _text(text: str) -> str:
    if _line(text) != text.strip():
        raise ValueError("remove the spaces at both ends")
    return text


def _own_name(text: str) -> str:
    if text in TAKEN:
        raise ValueError("the platform itself uses this name; choose another")
    return text


def _own_path(text: str) -> str:
    if text in PATHS:
        raise ValueError("the edge itself uses this path; choose another")
    return text


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if (count := names.count(name)) > 1:
            raise wrong(f"{name!r} is listed {count} times; once is enough")
    return names


def _cpu(value: object) -> int:
    millicores = quantity.millicores(str(value))
    if millicores > 256_000:
        raise ValueError("no host has more than 256 cores")
    return millicores


def _memory(value: object) -> int:
    found = quantity.memory_bytes(str(value))
    if not 2**20 <= found <= 2**42:
        raise ValueError("write an amount from 1Mi to 4Ti")
    return found


def _workers(value: object) -> object:
    if value != "auto" and not (type(value) is int and 1 <= value <= 512):
        raise ValueError("write auto, or a number of processes")
    return value


# numbers: neither text nor booleans
Count = Annotated[int, Field(strict=True, ge=1, le=LARGEST)]
Whole = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
Few = Annotated[int, Field(strict=True, ge=1, le=1000)]
Number = Annotated[float, Field(strict=True, ge=0, le=LARGEST)]
Positive = Annotated[float, Field(strict=True, gt=0, le=LARGEST)]
Ratio = Annotated[float, Field(strict=True, ge=0, le=1)]
Percent = Annotated[float, Field(strict=True, ge=0, le=100)]
WholePercent = Annotated[int, Field(strict=True, ge=1, le=100)]
HoursOfDay = Annotated[int, Field(strict=True, ge=1, le=24)]
DaysOfMonth = Annotated[int, Field(strict=True, ge=1, le=28)]
Milliseconds = Annotated[int, Field(strict=True, ge=1000, le=LARGEST)]  # some programs take whole seconds
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
OpenPort = Annotated[Port, Field(ge=1024)]  # needs no privilege
Status = Annotated[int, Field(strict=True, ge=100, le=599)]
Refusal = Annotated[int, Field(strict=True, ge=400, le=599)]
ExitCode = Annotated[int, Field(strict=True, ge=0, le=255)]
Gpus = Annotated[int, Field(strict=True, ge=0, le=16)]
Cpu = Annotated[int, BeforeValidator(_cpu)]  # written as 500m or 0.5, here in millicores
Memory = Annotated[int, BeforeValidator(_memory)]  # written as 512Mi, here in bytes
Workers = Annotated[Any, AfterValidator(_workers)]

# text
Line = Annotated[str, Field(max_length=1000), AfterValidator(_line)]
Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_text)]
Short = Annotated[str, Field(max_length=200)]
Word = Annotated[
    str, Field(max_length=100), _matching(r"[A-Za-z0-9][A-Za-z0-9._-]*", "write one word, such as api_limit")
]
Slug = Annotated[
    str,
    _matching(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?", "write at most 60 lowercase letters, digits and hyphens"),
    AfterValidator(_own_path),
]
Path = Annotated[
    Short, _matching(r"(?!.*/\.\.(/|$))/([\w.~+@,-]+/)*[\w.~+@,-]*", "write a path from the root, such as /api/orders/")
]
RelativePath = Annotated[
    Short,
    _matching(r"(?!(.*/)?\.\.(/|$))[\w.+@-]+(/[\w.+@-]+)*", "write a path below the checkout, such as src/index.js"),
]
RequestPath = Annotated[Line, _matching(r"(?!.*//)/[!-~]*", "write a path from the root, such as /api/orders/?limit=1")]
VersionPrefix = Annotated[str, _matching(r"/api/[a-z0-9]+/", "write a prefix such as /api/v2/")]
KeyPrefix = Annotated[
    str, _matching(r"[A-Za-z0-9_.-]+:", "write a key prefix that ends with a colon, such as session:")
]
Variable = Annotated[str, _matching(r"[A-Za-z_][A-Za-z0-9_]*", "write a variable's name, such as LOG_LEVEL")]
Header = Annotated[str, _matching(r"[A-Za-z][A-Za-z0-9-]*", "write a header's name, such as X-Frame-Options")]
HeaderValue = Annotated[
    Line,
    _matching(
        r'(?![ ;])[^"\\$\x00-\x1f\x7f-\U0010ffff]+',
        "write a valid header value: ASCII without quotation marks, backslashes and $",
    ),
]
AlertName = Annotated[str, _matching(r"[A-Za-z][A-Za-z0-9]{0,60}", "write a name such as DiskSpaceLow")]
Package = Annotated[str, _matching(r"[a-z0-9][a-z0-9+.-]*", "write a package's name, such as fastapi")]
BucketName = Annotated[str, _matching(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "write 3 to 63 of a-z, 0-9 and hyphens")]
TimerUnit = Annotated[
    str, _matching(r"[a-z0-9][a-z0-9-]*\.timer", "write a timer's name, such as nexus-cos-backup.timer")
]
ServiceUnit = Annotated[
    str, _matching(r"[a-z0-9][a-z0-9-]*\.service", "write a unit, such as nexus-cos-backup.service")
]
SchemaName = Annotated[
    str,
    _matching(
        r"[a-z0-9][a-z0-9._-]*\.sql", "write the name of a file in group_data/catalogue/schema, such as invoice-gen.sql"
    ),
]

# sizes and times in the programs' own notation
PostgresSize = Annotated[str, _matching(r"[1-9][0-9]{0,8}(kB|MB|GB|TB)", "write a size such as 16MB or 4GB")]
RedisSize = Annotated[str, _matching(r"[1-9][0-9]{0,8}(kb|mb|gb)", "write a size such as 512mb or 2gb")]
NginxSize = Annotated[str, _matching(r"[1-9][0-9]{0,8}[kmg]?", "write a size such as 50m")]
ZoneSize = Annotated[str, _matching(r"[1-9][0-9]{0,2}m", "write a size from 1m to 999m")]
Buffers = Annotated[str, _matching(r"[1-9][0-9]? [1-9][0-9]{0,3}k", 'write a number and a size, such as "4 8k"')]
Duration = Annotated[str, _matching(r"[1-9][0-9]{0,5}(s|m|h|d|w|M|y)", "write a duration such as 10m, 7d or 1y")]

# fixed words
Switch = Literal["on", "off"]
Group = Literal["edge", "app", "data", "ops", "etcd", "postgresql", "redis", "rabbitmq", "mongodb", "storage"]

# names in the catalogue
ServiceName = Annotated[
    str,
    # becomes a DNS label, a database (with _a and _b for its logins) and a part of secrets' names,
    # which Docker limits to 64 characters
    _matching(
        r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?",
        "a name has at most 40 lowercase letters, digits and hyphens, and begins with a letter",
    ),
    AfterValidator(_own_name),
]
ServiceRef = Annotated[Text, _name_of("service")]
CategoryRef = Annotated[Text, _name_of("category")]
DomainRef = Annotated[Text, _name_of("domain")]
PhaseRef = Annotated[Few, _name_of("phase")]
StoreRef = Annotated[Text, _name_of("store")]

Names = tuple[Text, ...]
Services = tuple[ServiceRef, ...]
Filled = Annotated[tuple[T, ...], Field(min_length=1)]  # a list that may not be empty
Distinct = Annotated[tuple[T, ...], AfterValidator(_distinct)]
