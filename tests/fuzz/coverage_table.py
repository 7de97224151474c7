"""The lines of llvm-cov's summary, as JSON on standard input, that are about parsers, as a table."""

import json
import sys
from pathlib import Path

# What reads bytes that come from outside. Of daemon/http the rest is sockets, which tests/unit/http is for.
PARSERS = ("collectors/parse/", "config/", "daemon/http/target", "daemon/http/negotiation",
           "daemon/http/request_handler", "daemon/http/ascii")


def main(root: str) -> None:
    print("| file | lines | reached | |\n|---|---|---|---|")
    every = reached = 0
    for file in json.load(sys.stdin)["data"][0]["files"]:
        name = Path(file["filename"])
        if not name.is_relative_to(root) or not str(name.relative_to(root)).startswith(PARSERS):
            continue
        lines = file["summary"]["lines"]
        every += lines["count"]
        reached += lines["covered"]
        print(f"| {name.relative_to(root)} | {lines['count']} | {lines['covered']} "
              f"| {lines['percent']:.0f} % |")
    print(f"| all | {every} | {reached} | {100 * reached / every:.0f} % |")


if __name__ == "__main__":
    main(sys.argv[1])
