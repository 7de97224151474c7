"""Checks the rules of the source tree that no compiler checks: who may include whom, which library stays
behind which border, and that the program only reads.

Usage: check_rules.py SOURCE_DIR
"""

import pathlib
import re
import sys

# Dependencies point one way: a folder may include its own headers and those of the folders named here.
MAY_INCLUDE = {
    "config": {"config"},
    "collectors": {"collectors", "config"},
    "daemon": {"daemon", "collectors", "config"},
}

# A library's headers, and the only places that may include them.
BORDERS = {
    r"<yaml-cpp/": ["config/yaml.cpp"],
    r"<CLI/": ["daemon/command_line.cpp"],
    r"<netlink/": ["daemon/kernel/netlink_socket.cpp"],
    r"<boost/(asio|beast)": ["daemon/http/"],
    r"<openssl/": ["daemon/http/"],
    r"<crypt\.h>": ["daemon/http/bcrypt.cpp"],
    r"<zlib\.h>": ["daemon/gzip.cpp"],
    r"<(thread|mutex|condition_variable|future)>": ["daemon/"],
    r"<(iostream|fstream)>": ["daemon/main.cpp", "daemon/command_line.cpp"],
}

# What has no place in the program at all, and why.
FORBIDDEN = {
    r"\b(system|popen|fork|vfork|execve?|execlp?|execvp?|posix_spawn)\s*\(": "starts a process",
    r"\b(sscanf|atoi|atol|strtol|strtoul|strtod|stoi|stol|stoul|stoull|stod)\s*\(": "parses leniently",
    r"\b(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|ofstream)\b": "opens a file for writing",
    r"\bNLM_F_(CREATE|REPLACE|EXCL|APPEND)\b": "changes the kernel by netlink",
    r"\b(SOCK_DESTROY|RTM_NEW\w+|RTM_DEL\w+|RTM_SET\w+)\b": "changes the kernel by netlink",
}
FORBIDDEN_IN_HEADERS = {r"\busing namespace\b": "spills names into every includer"}

SOURCES = ("*.h", "*.cpp", "*.in")


def source_files(root):
    for folder in MAY_INCLUDE:
        for pattern in SOURCES:
            yield from sorted((root / folder).rglob(pattern))


def without_comments(line):
    return line.split("//", 1)[0]


def check_includes(name, number, line):
    include = re.match(r'\s*#include\s+([<"][^>"]+[>"])', line)
    if not include:
        return
    target = include.group(1)
    if target.startswith('"'):
        folder = target[1:].split("/", 1)[0]
        if folder not in MAY_INCLUDE[name.split("/", 1)[0]]:
            yield f"{name}:{number}: {target} is against the direction config <- collectors <- daemon"
    for pattern, allowed in BORDERS.items():
        if re.match(pattern, target) and not any(name.startswith(place) for place in allowed):
            yield f"{name}:{number}: {target} belongs to {', '.join(allowed)} alone"


def check_words(name, number, line):
    words = dict(FORBIDDEN)
    if name.endswith(".h"):
        words.update(FORBIDDEN_IN_HEADERS)
    for pattern, reason in words.items():
        if re.search(pattern, without_comments(line)):
            yield f"{name}:{number}: {reason}: {line.strip()}"


def check_tree(root):
    problems = []
    for path in source_files(root):
        name = path.relative_to(root).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            problems += check_includes(name, number, line)
            problems += check_words(name, number, line)
    return problems


def main():
    root = pathlib.Path(sys.argv[1])
    if not list(source_files(root)):
        sys.exit(f"{root}: no source files found")
    problems = check_tree(root)
    print("\n".join(problems) or "every rule is kept")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
