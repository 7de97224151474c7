"""An exposition as data."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

# A series: its name and its labels.
Series = tuple[str, frozenset[tuple[str, str]]]

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def series(name: str, **labels: str) -> Series:
    return name, frozenset(labels.items())


@dataclass
class Exposition:
    """Samples by series; types and helps by family."""

    samples: dict[Series, float] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    helps: dict[str, str] = field(default_factory=dict)

    def value(self, name: str, **labels: str) -> float | None:
        """A series' value; nothing where it is absent."""
        return self.samples.get(series(name, **labels))

    def names(self, chosen: Callable[[str], bool] = lambda name: True) -> set[str]:
        """The names that have a series."""
        return {name for name, _ in self.samples if chosen(name)}

    def all_of(self, name: str) -> dict[frozenset[tuple[str, str]], float]:
        """The samples of that name by their labels."""
        return {labels: value for (other, labels), value in self.samples.items() if other == name}


def parse_labels(text: str) -> frozenset[tuple[str, str]]:
    labels = {}
    position = 0
    while position < len(text):
        label = _LABEL.match(text, position)
        if label is None or label[1] in labels:
            raise ValueError(f"bad labels: {text!r}")
        labels[label[1]] = re.sub(r"\\.", lambda escape: _ESCAPES[escape[0]], label[2])
        position = label.end()
    return frozenset(labels.items())


def parse_exposition(text: str) -> Exposition:
    """Reads text 0.0.4 and, but for its stricter rules, OpenMetrics. Strict about what is read."""
    exposition = Exposition()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, exposition.helps[name] = line.split(" ", 3)
        elif line.startswith("# TYPE "):
            _, _, name, exposition.types[name] = line.split(" ", 3)
        elif line and not line.startswith("#"):
            sample = _SAMPLE.fullmatch(line)
            if sample is None:
                raise ValueError(f"no sample: {line!r}")
            key = sample[1], parse_labels(sample[2] or "")
            if key in exposition.samples:
                raise ValueError(f"a series stands twice: {line!r}")
            exposition.samples[key] = float(sample[3])
    return exposition
