"""Write the tree of modules into the README: one line each, with the first line of its docstring.

Run it after adding or renaming a module; a test compares the README with what this would write.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- tree: begin -->\n", "<!-- tree: end -->\n"
WIDTH = 34


def module_line(path: Path) -> str:
    """Return the path below src/ and what the module says of itself."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    name = str(path.relative_to(ROOT / "src" / "zspace").parent if path.name == "__init__.py" else "")
    shown = f"{name}/" if name else str(path.relative_to(ROOT / "src" / "zspace"))
    return f"{shown:<{WIDTH}} {docstring.splitlines()[0].rstrip('.')}"


def tree() -> str:
    """Return the tree as a Markdown block."""
    package = ROOT / "src" / "zspace"
    modules = sorted(
        (path for path in package.rglob("*.py") if path != package / "__init__.py"),
        key=lambda path: (path.relative_to(package).parts[:-1], path.name != "__init__.py", path.name),
    )
    return "\n".join(["```text", *map(module_line, modules), "```", ""])


def with_tree(readme: str) -> str:
    """Return the README with the block between the marks replaced."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + tree() + END + after


def main() -> None:
    """Rewrite README.md."""
    path = ROOT / "README.md"
    path.write_text(with_tree(path.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{path}: {tree().count(chr(10)) - 2} modules\n")


if __name__ == "__main__":
    main()
