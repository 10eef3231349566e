"""Mutants of a right answer: its syntax tree with one small thing changed, each compiled."""

import ast
import copy
import inspect
import textwrap

from roilearn.exercises.exercise import compiled

OPERATORS = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.FloorDiv: [ast.Div], ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitXor, ast.BitAnd],
    ast.RShift: [ast.LShift], ast.LShift: [ast.RShift],
}  # fmt: skip
COMPARISONS = {
    ast.Lt: [ast.LtE, ast.GtE], ast.LtE: [ast.Lt, ast.Gt], ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt], ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq],
}  # fmt: skip
CALLS = {"min": ["max"], "max": ["min"], "floor": ["ceil"], "ceil": ["floor"],
         "minimum": ["maximum"],
         "maximum": ["minimum"], "cos": ["sin"], "sin": ["cos"], "argmax": ["argmin"]}  # fmt: skip


def plus(node, number):
    return ast.BinOp(node, ast.Add(), ast.Constant(number))


def of_arithmetic(node):
    if isinstance(node, ast.BinOp):
        yield from (
            ast.BinOp(node.left, other(), node.right) for other in OPERATORS.get(type(node.op), [])
        )
        yield node.left
        yield node.right
    if isinstance(node, ast.UnaryOp):
        yield node.operand
    if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
        yield from (
            ast.Constant(node.value + step)
            for step in ((1, -1) if isinstance(node.value, int) else (1, -1, 0.25, -0.25))
        )


def of_conditions(node):
    if isinstance(node, ast.Compare):
        for n, comparison in enumerate(node.ops):
            for other in COMPARISONS.get(type(comparison), []):
                yield ast.Compare(
                    node.left, [*node.ops[:n], other(), *node.ops[n + 1 :]], node.comparators
                )
    if isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield from node.values
    if isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    if isinstance(node, ast.If):
        yield from (ast.If(ast.Constant(value), node.body, node.orelse) for value in (True, False))


def of_calls_and_places(node):
    if isinstance(node, ast.Call):
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        for other in CALLS.get(name, []):
            changed = copy.deepcopy(node)
            setattr(changed.func, "attr" if isinstance(node.func, ast.Attribute) else "id", other)
            yield changed
        yield from node.args
        if name == "range":
            yield from (
                ast.Call(node.func, [*node.args[:-1], plus(node.args[-1], n)], []) for n in (1, -1)
            )
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        if not isinstance(node.slice, ast.Slice | ast.Tuple):
            yield from (ast.Subscript(node.value, plus(node.slice, n), node.ctx) for n in (1, -1))
        yield node.value
    if isinstance(node, ast.Slice):
        for lower, upper in ((None, node.upper), (node.lower, None)):
            yield ast.Slice(lower, upper)


def of_statements(node):
    if isinstance(node, ast.AugAssign):
        yield ast.Assign([node.target], node.value)
        for other in OPERATORS.get(type(node.op), []):
            yield ast.AugAssign(node.target, other(), node.value)
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.If | ast.For):
        yield ast.Pass()


def of_names(node, parameters):
    """Yield every other parameter in place of one."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in parameters:
        yield from (ast.Name(other, ast.Load()) for other in parameters if other != node.id)


def mutants(answer):
    """Every mutant of a function: (line before -> changed piece, the function)."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(answer)))
    body, parameters = tree.body[0], [a.arg for a in tree.body[0].args.args]
    tree.body[0].returns = None
    body.body = [
        part for part in body.body if not isinstance(getattr(part, "value", None), ast.Constant)
    ]
    for argument in body.args.args:
        argument.annotation = None
    places = [node for part in body.body for node in ast.walk(part)]
    kinds = (of_arithmetic, of_conditions, of_calls_and_places, of_statements)
    for n, node in enumerate(places):
        replacements = [new for kind in kinds for new in kind(node)] + [*of_names(node, parameters)]
        for new in replacements:
            ast.fix_missing_locations(new)
            if ast.unparse(new) == ast.unparse(node):
                continue
            changed = replaced(tree, n, new)
            try:
                function = compiled(changed, answer)
            except (SyntaxError, TypeError, ValueError):
                continue
            line = next(part for part in statements(body) if node in set(ast.walk(part)))
            yield f"{ast.unparse(line)}: {ast.unparse(node)} -> {ast.unparse(new)}", function


def statements(body):
    """Innermost statements first, so that the first one that holds a node is the nearest."""
    found = [node for node in ast.walk(body) if isinstance(node, ast.stmt) and node is not body]
    return found[::-1]


def replaced(tree, number, new):
    """Copy the tree with its place of that number exchanged."""
    changed = copy.deepcopy(tree)
    places = [node for part in changed.body[0].body for node in ast.walk(part)]
    target, new = places[number], copy.deepcopy(new)
    for parent in ast.walk(changed):
        for field, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, field, new)
            elif isinstance(value, list):
                setattr(parent, field, [new if each is target else each for each in value])
    return ast.fix_missing_locations(changed)
