"""Where what was read off patients goes, told from the source code of a recipe without running it.

The code is followed as a person would read it: statement by statement, into every function of this package or of the
recipe's own module. A value is private where anything private went into it, also by an `if` or a loop that depends on
patients; it becomes public only by coming out of a mechanism that is believed (``linter.py`` lists them), after a
charge. What the reader does not know, it takes for private.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

DEEPEST = 40
FILLING = frozenset({"add", "append", "extend", "insert", "put", "setdefault", "update"})
"""Methods that put their arguments into what they are called on."""


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of a value: whether it is private, where that came from, and its class, if that is ours."""

    private: bool = False
    line: int = 0
    kind: tuple[str, str] | None = None  # module and class

    def joined(self, *others: Value) -> Value:
        return next((replace(v, kind=None) for v in (self, *others) if v.private), Value())


PUBLIC = Value()


@dataclass(frozen=True, slots=True)
class Leak:
    """One place where something private gets out, in words; `path` and `line` say where."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed without reading on.

    Attributes:
        mechanisms: Dotted names (or modules, ending in a dot) whose answers are public.
        charges: Names of callables that enter a charge. attributes: Of private objects, those that are public.
        teachers: Names of callables that change a net by what they are given, which must be public.
        packages: Modules into which calls are followed, as beginnings of their names.
    """

    mechanisms: Sequence[str]
    charges: frozenset[str]
    attributes: frozenset[str]
    packages: Sequence[str]
    teachers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Module:
    """A module's source: its functions, its classes, and what its names were imported from."""

    name: str
    path: str
    functions: Mapping[str, ast.FunctionDef]
    classes: Mapping[str, ast.ClassDef]
    imported: Mapping[str, str]

    @classmethod
    def of(cls, name: str, path: str) -> Module:
        tree = ast.parse(Path(path).read_text(encoding="utf-8"))
        imported: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported |= {a.asname or a.name: a.name for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
        return cls(name, path, functions, {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}, imported)

    def method(self, kind: str, name: str) -> ast.FunctionDef | None:
        body = self.classes[kind].body if kind in self.classes else []
        return next((n for n in body if isinstance(n, ast.FunctionDef) and n.name == name), None)


@cache
def module_of(name: str) -> Module | None:
    """The source of an installed module; None where there is none to read."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Module.of(name, spec.origin)


@dataclass(slots=True)
class Reader:
    """Follows the code of one recipe. `charged`: whether a charge came before the statement that is being read."""

    trust: Trust
    charged: bool = False
    leaks: list[Leak] = field(default_factory=list)
    _open: list[tuple[str, str]] = field(default_factory=list)

    def call(self, module: Module, function: ast.FunctionDef, given: Mapping[str, Value], place: str) -> Value:
        """The value that a function returns for arguments of which this is known."""
        key = (module.name, f"{place}.{function.name}")
        if key in self._open or len(self._open) > DEEPEST:
            return PUBLIC.joined(*given.values())
        self._open.append(key)
        scope = _Scope(self, module, dict(given), given.get("self", PUBLIC).kind)
        scope.read(function.body)
        self._open.pop()
        return scope.returned

    def leak(self, module: Module, line: int, what: str) -> None:
        found = Leak(Path(module.path).name, line, what)
        if found not in self.leaks:
            self.leaks.append(found)


@dataclass(slots=True)
class _Scope:
    """One function body: what its names hold, and what the branch being read depends on."""

    reader: Reader
    module: Module
    names: dict[str, Value]
    kind: tuple[str, str] | None
    depends: Value = PUBLIC
    returned: Value = PUBLIC

    def read(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Return(value=value):
                found = PUBLIC if value is None else self.value(value)
                private = self.returned.joined(found, self.depends)
                self.returned = private if private.private else replace(private, kind=found.kind)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._bind(target, self.value(value))
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._bind(target, self.value(value))
            case ast.AugAssign(target=target, value=value):
                self._bind(target, self.value(target).joined(self.value(value)))
            case ast.If(test=test, body=body, orelse=other):
                self._branch(test, body, other)
            case ast.While(test=test, body=body, orelse=other):
                for _ in range(2):  # what the first round made private is private in the second
                    self._under(self.value(test), body)
                self.read(other)
            case ast.For(target=target, iter=over, body=body, orelse=other):
                for _ in range(2):
                    self._bind(target, self.value(over))
                    self._under(self.value(over), body)
                self.read(other)
            case ast.With(items=items, body=body):
                for item in items:
                    found = self.value(item.context_expr)
                    if item.optional_vars is not None:
                        self._bind(item.optional_vars, found)
                self.read(body)
            case ast.Try(body=body, handlers=handlers, orelse=other, finalbody=final):
                self.read([*body, *other])
                for handler in handlers:
                    self.read(handler.body)
                self.read(final)
            case ast.Expr(value=value):
                self.value(value)
            case _:
                pass  # raise, pass, nested definitions, …: nothing goes on from here

    def _branch(self, test: ast.expr, body: Sequence[ast.stmt], other: Sequence[ast.stmt]) -> None:
        known = _promised(test)
        if known is not None:
            self.read(body if known else other)
            return
        found, before = self.value(test), self.reader.charged
        if all(isinstance(s, ast.Raise) for s in body):  # whoever runs it learns that it stopped; nobody else does
            self.read(other)
            return
        self._under(found, body)
        after = self.reader.charged
        self.reader.charged = before
        self._under(found, other)
        self.reader.charged = self.reader.charged and after

    def _under(self, condition: Value, body: Sequence[ast.stmt]) -> None:
        before = self.depends
        self.depends = before.joined(condition)
        self.read(body)
        if condition.private and any(isinstance(n, ast.Break | ast.Continue) for s in body for n in ast.walk(s)):
            self.names = {name: value.joined(condition) for name, value in self.names.items()}
        self.depends = before

    def _bind(self, target: ast.expr, value: Value) -> None:
        if self.depends.private:
            value = self.depends
        match target:
            case ast.Name(id=name):
                self.names[name] = value
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._bind(part, replace(value, kind=None))
            case ast.Starred(value=inner):
                self._bind(inner, value)
            case ast.Attribute(value=ast.Name(id=name)) | ast.Subscript(value=ast.Name(id=name)):
                held = self.names.get(name, PUBLIC)
                if value.private and not held.private:
                    self.names[name] = value

    # ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.Name(id=name):
                return self.names.get(name, PUBLIC)
            case ast.Attribute(value=inner, attr=name):
                held = self.value(inner)
                return PUBLIC if name in self.reader.trust.attributes else replace(held, kind=None)
            case ast.Call():
                return self._call(node)
            case ast.Lambda(body=body):
                return self.value(body)
            case ast.NamedExpr(target=target, value=inner):
                found = self.value(inner)
                self._bind(target, found)
                return found
            case ast.IfExp(test=test, body=body, orelse=other):
                known = _promised(test)
                if known is not None:
                    return self.value(body if known else other)
                return self.value(test).joined(self.value(body), self.value(other))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node)
        parts = [self.value(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return PUBLIC.joined(*parts)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        before, found = dict(self.names), [PUBLIC]
        for loop in node.generators:
            over = self.value(loop.iter)
            self._bind(loop.target, over)
            # A loop whose length is public leaks nothing by itself; what it filters by may.
            found += [over, *(self.value(test) for test in loop.ifs)]
        made = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        found += [self.value(part) for part in made]
        self.names = before
        return PUBLIC.joined(*found)

    def _call(self, node: ast.Call) -> Value:
        given = [self.value(a.value if isinstance(a, ast.Starred) else a) for a in node.args]
        named = {k.arg or "**": self.value(k.value) for k in node.keywords}
        everything = PUBLIC.joined(*given, *named.values())
        called = _name(node.func)
        if called in self.reader.trust.charges:
            self.reader.charged = True
            return PUBLIC
        dotted = self._dotted(node.func)
        if any(dotted == m or (m.endswith(".") and dotted.startswith(m)) for m in self.reader.trust.mechanisms):
            if everything.private and not self.reader.charged:
                self.reader.leak(self.module, node.lineno, f"{called} answers from patients before anything is charged")
            return PUBLIC
        held = self.value(node.func.value) if isinstance(node.func, ast.Attribute) else PUBLIC
        if isinstance(node.func, ast.Name) and node.func.id in self.names:
            held = self.names[node.func.id]
        if called in self.reader.trust.teachers and everything.joined(held, self.depends).private:
            self.reader.leak(self.module, node.lineno, f"{called} teaches a net by patients, through no mechanism")
        followed = self._follow(node, dotted, held, given, named)
        if followed is not None:
            return followed
        if called in FILLING and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            held = held.joined(everything, self.depends)
            self._bind(node.func.value, held)
        return everything.joined(held)

    def _follow(
        self, node: ast.Call, dotted: str, held: Value, given: list[Value], named: dict[str, Value]
    ) -> Value | None:
        """Into a function, a method or a class that can be read; None where there is none."""
        if held.kind is not None and isinstance(node.func, ast.Attribute):
            return self._enter(held.kind[0], held.kind[1], node.func.attr, [held, *given], named)
        if isinstance(node.func, ast.Attribute) and _name(node.func.value) == "self" and self.kind is not None:
            return self._enter(self.kind[0], self.kind[1], node.func.attr, [self.names["self"], *given], named)
        where, _, last = dotted.rpartition(".")
        if (module := self._module(where)) is None:
            return None
        if last in module.functions:
            return self._enter(where, "", last, given, named)
        if last in module.classes:
            made = PUBLIC.joined(*given, *named.values())
            return replace(made, kind=(where, last))
        owner, _, kind = where.rpartition(".")  # a class method, such as Alphabet.learn
        if (module := self._module(owner)) is not None and module.method(kind, last) is not None:
            return self._enter(owner, kind, last, [PUBLIC, *given], named)
        return None

    def _enter(self, where: str, kind: str, name: str, given: list[Value], named: dict[str, Value]) -> Value | None:
        module = self._module(where)
        if module is None:
            return None
        function = module.method(kind, name) if kind else module.functions.get(name)
        if function is None:
            return None
        taken = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
        if kind and any(_name(d) == "staticmethod" for d in function.decorator_list):
            given = given[1:]
        arguments = dict(zip(taken, given, strict=False)) | named
        return self.reader.call(module, function, arguments, kind)

    def _module(self, name: str) -> Module | None:
        if name == self.module.name:
            return self.module
        return module_of(name) if name.startswith(tuple(self.reader.trust.packages)) else None

    def _dotted(self, node: ast.expr) -> str:
        """Where a name comes from, as a path of modules."""
        words = list(_words(node))
        if not words or words[0] in self.names:
            return ""
        known = {**{n: f"{self.module.name}.{n}" for n in (*self.module.functions, *self.module.classes)}}
        first = self.module.imported.get(words[0]) or known.get(words[0], words[0])
        return ".".join([first, *words[1:]])


def _words(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        inner = list(_words(node.value))
        if inner:
            yield from inner
            yield node.attr
    elif isinstance(node, ast.Name):
        yield node.id


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _promised(test: ast.expr) -> bool | None:
    """What a question about the allowance is answered with: there is one. None for any other question."""
    match test:
        case ast.Compare(left=ast.Attribute(attr="allowance"), ops=[op], comparators=[ast.Constant(value=None)]):
            return isinstance(op, ast.IsNot)
    return None
