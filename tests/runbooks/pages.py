"""The pages of docs/runbooks as data: their blocks of commands, and what each shows that it prints."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
ADVICE = ROOT / "docs" / "advice.md"

# It may stand in a list, and is indented then.
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
# What a block of commands prints stands below it, with nothing in between.
OUTPUT = "output"


@dataclass(frozen=True)
class Block:
    """A fenced block. `expected` is the block of output that belongs to it; empty where there is none."""

    place: str
    language: str
    text: str
    expected: str = ""


@dataclass(frozen=True)
class Page:
    """A page by its name, which is the file's without its suffix."""

    name: str
    text: str

    @property
    def prose(self) -> str:
        return _FENCE.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        """Its blocks in their order, each with its output."""
        return list(_join_outputs(list(self._fences())))

    def _fences(self) -> Iterator[tuple[Block, bool]]:
        """Each fenced block, and whether it comes right after the one before."""
        end = None
        for fence in _FENCE.finditer(self.text):
            line = self.text.count("\n", 0, fence.start()) + 1
            follows = end is not None and not self.text[end:fence.start()].strip()
            text = textwrap.dedent(fence["text"])
            yield Block(f"{self.name}.md:{line}", fence["language"], text), follows
            end = fence.end()


def _join_outputs(fences: list[tuple[Block, bool]]) -> Iterator[Block]:
    following = [*fences[1:], None]
    for (block, follows), after in zip(fences, following):
        if block.language == OUTPUT and follows:
            continue
        if after and after[1] and after[0].language == OUTPUT:
            block = Block(block.place, block.language, block.text, after[0].text)
        yield block


def read_page(path: Path) -> Page:
    return Page(path.stem, path.read_text())


def all_pages() -> list[Page]:
    """Every file of docs/runbooks, the index included, and docs/advice.md."""
    return [read_page(path) for path in [*sorted(RUNBOOKS.glob("*.md")), ADVICE]]
