"""`python -m runbooks.environment NAME [KEY=VALUE ...]`: write the files of a new environment.

`python -m runbooks.environment --remove NAME [secrets=yes]` removes them. What is needed and was not given is asked
on a terminal. Exit status 1 if something is wrong, 2 for a wrong command line.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

from nexus import project
from nexus.error import OperatorError
from runbooks.contact.terminal import confirmation
from runbooks.environment import asked, create, files, wanted
from runbooks.environment.fit import Line

USAGE = "usage: python -m runbooks.environment [--remove] NAME [KEY=VALUE ...]"
Ask = Callable[[str], str]


def main(words: Sequence[str]) -> int:
    """Print a line for each file; return the exit status."""
    removes = list(words[:1]) == ["--remove"]
    name, *given = words[removes:] or [""]
    pairs = dict(word.partition("=")[::2] for word in given)
    if not name or name.startswith("-") or any("=" not in word for word in given):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        for line in _removed(name, pairs) if removes else _made(name, pairs, ask_on_terminal()):
            print(line)
    except OperatorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _made(name: str, words: dict[str, str], ask: Ask | None) -> Iterable[str]:
    replace = words.pop("replace", "") == "yes"
    found = create.reachable(wanted.read(name, words, ask, project.root() / "group_data/keys"))
    more: Sequence[Line] = ()
    if found.provider == "ssh" and not found.sizes:
        contacts, report = asked.ask_hosts(found, confirmation())
        yield from report
        found, sizes, more = asked.learned(found, contacts)
    else:
        found = create.named(found)
        sizes = create.stated(found)
    yield from files.write(create.texts(found, sizes, more), replace)
    yield f"Next: make secrets NEXUS_ENV={name}; make deploy NEXUS_ENV={name}"


def _removed(name: str, words: dict[str, str]) -> Iterator[str]:
    wanted.check_name(name)
    ask = ask_on_terminal()
    typed = words.get("confirm") or (ask(f"Type {name} to remove its files") if ask else "")
    if typed != name:
        raise OperatorError(f"nothing was removed: the name of the environment was not typed (CONFIRM={name})")
    yield from files.remove(name, with_secrets=words.get("secrets") == "yes")


def ask_on_terminal() -> Ask | None:
    """A function that asks a question there; None without a terminal."""
    return (lambda question: input(f"{question}: ")) if sys.stdin and sys.stdin.isatty() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
