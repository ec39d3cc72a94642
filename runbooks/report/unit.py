"""Numbers as people read them, in the units of panels."""

BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
DECIMAL = ("", "k", "M", "G", "T")
TIMES = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def readable(value: float, unit: str) -> str:
    """The value with its unit, in three digits: "1.25 GiB", "12.5 %", "3 ms"."""
    if unit == "ratio":
        return f"{_digits(value * 100)} %"
    if unit == "bytes":
        return _scaled(value, 1024, BINARY)
    if unit == "bytes per second":
        return f"{_scaled(value, 1024, BINARY)}/s"
    if unit == "seconds":
        return _duration(value)
    if unit == "yes or no":
        return "yes" if value >= 0.5 else "no"
    return _scaled(value, 1000, DECIMAL) + ("/s" if unit == "per second" else "")


def scale(value: float, unit: str) -> float:
    """The size of the name that `readable` gives the value: 1024 for "1.5 KiB", 60 for "2 min"."""
    if unit == "ratio":
        return 0.01
    if unit == "seconds":
        return next((size for size, _ in TIMES if abs(value) >= size), TIMES[-1][0])
    base, names = (1024, BINARY) if unit.startswith("bytes") else (1000, DECIMAL)
    return float(base ** _place(value, base, names))


def _scaled(value: float, base: int, names: tuple[str, ...]) -> str:
    place = _place(value, base, names)
    return f"{_digits(value / base**place)} {names[place]}".strip()


def _place(value: float, base: int, names: tuple[str, ...]) -> int:
    return next((place for place in range(len(names)) if abs(value) < base ** (place + 1)), len(names) - 1)


def _duration(value: float) -> str:
    size, name = next((pair for pair in TIMES if abs(value) >= pair[0]), TIMES[-1] if value else (1.0, "s"))
    return f"{_digits(value / size)} {name}"


def _digits(value: float) -> str:
    if abs(value) < 1e-9:
        return "0"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
