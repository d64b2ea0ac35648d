"""Finds what is made and never sent: `get("/a")` without `yield`, and a journey's own generator that is called without `yield from`.
Either does nothing, and says nothing. build.py looks at the author's files with it.
"""

import ast

#: What journeys yield, by the names that they import it by.
WANTED = {
    "all_of", "delete", "get", "grpc", "head", "open_channel", "options", "patch", "post", "put",
    "think", "think_between", "think_briefly", "think_long", "wait",
}  # fmt: skip


def unyielded(source, name):
    """One line for each place in a file of this name."""
    tree = ast.parse(source, name)
    wanted, generators = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "vespeiro":
            wanted |= {one.asname or one.name for one in node.names if one.name in WANTED}
        elif isinstance(node, ast.FunctionDef) and _is_generator(node):
            generators.add(node.name)
    lines = []
    for node in ast.walk(tree):
        # A call that is a statement of its own: what it gives is thrown away.
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
            continue
        called = node.value.func
        if not isinstance(called, ast.Name):
            continue
        if called.id in wanted:
            lines.append((node.lineno, f"{called.id}(…) is made and never sent: write `yield {called.id}(…)`"))
        elif called.id in generators:
            lines.append((node.lineno, f"{called.id}(…) is a generator that nobody plays: write `yield from {called.id}(…)`"))
    return [f"{name}:{line}: {what}" for line, what in sorted(lines)]


def _is_generator(function):
    """Whether it yields itself, and not only a function within it."""
    within = list(function.body)
    while within:
        node = within.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            within.extend(ast.iter_child_nodes(node))
    return False
