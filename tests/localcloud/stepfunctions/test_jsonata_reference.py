"""JSONata gives what the reference implementation gives, in the version that AWS names (2.0.6).

The expressions are those of the synthesized machines, over sampled contexts, and one for each thing
that differs easily: singleton sequences, null and nothing, numbers, regular expressions, order.
"""

import json
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gates.assembly import Assembly
from gates.machine import machines
from localcloud import hooks
from localcloud.stepfunctions import jsonata

pytestmark = pytest.mark.process

_ROOT = Path(__file__).parents[3]
_SAMPLES = 12

# What a leaf of a context may be.
_LEAVES: tuple[Any, ...] = (
    None, True, False, 0, 1, -7, 2.5, 1e6, "", "a", "States.Timeout", "é 😀", '{"Error": "x"}',
    "2026-01-02T03:04:05.678Z", [], [1], ["a", "b"], [{"a": 1}], [[1]], {}, {"a": {"b": 2}},
)  # fmt: skip

_BINDINGS = {
    "one": [1],
    "objects": [{"a": 1}],
    "none": None,
    "empty": [],
    "text": "héllo wörld 😀",
    "nested": {"b": [{"c": [1]}, {"c": 2}], "d": [[1]]},
    "rows": [{"a": 1, "b": "q"}, {"a": 2, "b": "p"}, {"b": "r"}],
}
_EXPRESSIONS = """
[1]
[[1]]
[1,[]]
[1,[2,3]]
[]
[1..1]
[3..1]
[1..3].($*2)
[1,2][$=1]
{'a':[1]}
{'a':$missing}
{'a':null}
[$missing,1]
$append([],1)
$append(1,[])
$split('a',',')
$split('a,b,,c',',')
$split('a1b2c',/\\d/)
$split('abc','')
$map([1],function($v){$v})
$map($one,function($v){[$v]})
$map([1,2],function($v,$i){$i})
$map($empty,function($v){$v})
$filter([1,2],function($v){$v=1})
$filter($one,function($v){$v>5})
$reduce([1,2,3],function($a,$b){$a+$b})
$reduce([],function($a,$b){$a+$b})
$sift({'a':1,'b':2},function($v){$v=1})
$each({'a':1},function($v,$k){$k})
$keys({'a':1})
$keys($rows)
$lookup($objects,'a')
$spread({'a':1,'b':2})
$merge([{'a':1},{'b':2}])
$distinct([1,1])
$distinct($one)
$distinct($rows.b)
$distinct($rows.missing)
$reverse([1])
$sort([3,1,2])
$sort(['b','a'],function($l,$r){$l>$r})
$zip([1,2],[3])
$single([1])
$count($missing)
$count($none)
$count($empty)
$count([null])
$count('x')
$sum([1,2.5])
$max($empty)
$objects[0]
$objects.a
$objects.a[]
$one
$one[0]+1
$one=1
$one=[1]
$nested.b.c
$nested.b[0].c
$nested.**
$nested.d[0][0]
$nested ~> |b|{'d':1},'c'|
$rows.a
$rows[a=1].b
$rows[a=1][].b
$rows[a>5]
$rows[-1]
$rows^(b).b
$rows^(>a).a
$rows{b:a}
$rows.{'k':b}
$rows.[b]
$rows#$i.$i
$rows.(a=1?b:null)
$none
$none=null
$exists($none)
$exists($missing)
$missing
$missing=1
$not($missing)
$boolean([0])
$boolean({})
'a' ? 1
'' ? 1
true and $missing
'x'&1&true&null
'x'&[1]
0.1+0.2
1/3
5.5%2
-5.5%2
-5%3
$power(10,20)
$round(2.5)
$round(-2.5)
$round(12.345,2)
$floor(-1.5)
$string(0.1+0.2)
$string({'a':0.1+0.2,'b':[1.0]})
$string(123456789012345678)
$string(1e21)
$string({'a':[1,'é']},true)
$number('0x1F')
$number('1e3')
$formatNumber(1234.5,'#,##0.00')
$formatBase(255,16)
$formatInteger(12,'w')
$substring($text,-3)
$substring($text,1,3)
$substringAfter($text,' ')
$length($text)
$pad('x',-5)
$trim('  a  b ')
$contains($text,/w/)
$match('ab',/b/)
$match('abb',/b/).match
$replace('abc',/(b)/,'[$1]')
$replace('aa','a','b',1)
$join(['a'],'-')
$encodeUrlComponent('a b/é')
$toMillis('2020-01-01')
$fromMillis(1577836800123)
$fromMillis(0,'[Y0001]-[M01]-[D01]')
1<'a'
{'a':1}={'a':1}
1 in [1,2]
$error('x')
$assert(false,'m')
$type($none)
function($x){$x+1}
/a/
$one ?: 3
$missing ?? 3
$parse('[1]')
""".strip().splitlines()


@pytest.fixture(scope="module", autouse=True)
def _hooked() -> None:
    hooks.install(hooks.registered("localcloud.stepfunctions.jsonata"))


def reference(cases: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    """What the reference gives: `value`, `nothing` or an `error` each."""
    script = Path(__file__).with_name("jsonata_reference.mjs")
    ran = subprocess.run(
        ["node", str(script), str(_ROOT / "gates" / "package.json")],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def ours(expression: str, bindings: dict[str, Any]) -> dict[str, Any]:
    """What the local cloud's gives, in the same form."""
    try:
        return {"value": jsonata.evaluate(expression, bindings)}
    except jsonata.EvaluationError as error:
        return {"nothing": True} if "returned nothing" in str(error) else {"error": str(error)}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two answers are the same; how an error is worded is not compared."""
    if "error" in one or "error" in other:
        return ("error" in one) == ("error" in other)
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def differences(cases: list[tuple[str, Any]]) -> list[str]:
    """Where the two differ, in words."""
    return [
        f"{expression} with {bindings}: {expected} there, {found} here"
        for (expression, bindings), expected in zip(cases, reference(cases), strict=True)
        if not same(expected, found := ours(expression, bindings))
    ]


def expressions(value: Any) -> Iterator[str]:
    """Every expression in a definition."""
    if isinstance(value, dict):
        for item in value.values():
            yield from expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from expressions(item)
    elif isinstance(value, str) and value.startswith("{%"):
        yield value.removeprefix("{%").removesuffix("%}").strip()


def sampled(expression: str, chance: random.Random) -> dict[str, Any]:
    """Values for all that an expression reads: at the end of each path, anything."""
    bindings: dict[str, Any] = {}
    for name, path in re.findall(r"\$(\w+)((?:\.\w+)*)(?![\w(])", expression):
        keys = [name, *path.split(".")[1:]]
        at = bindings
        for key in keys[:-1]:
            if not isinstance(at.get(key), dict):
                at[key] = {}
            at = at[key]
        if not isinstance(at.get(keys[-1]), dict) and chance.random() < 0.9:
            at[keys[-1]] = chance.choice(_LEAVES)
    return bindings


def test_each_expression_of_the_machines_gives_the_same(dev: Assembly) -> None:
    """Over contexts that fit, that lack something and that hold what nobody expects."""
    corpus = sorted({text for each in machines(dev) for text in expressions(each.definition)})
    assert len(corpus) > 100
    chance = random.Random(6)  # noqa: S311 - the same contexts each time
    cases = [(text, sampled(text, chance)) for text in corpus for _ in range(_SAMPLES)]
    timed = re.compile(r"\$(now|millis|uuid|random)\(")
    cases = [case for case in cases if not timed.search(case[0])]
    assert sum("value" in each for each in reference(cases)) > len(cases) / 5
    assert differences(cases) == []


def test_what_differs_easily_gives_the_same() -> None:
    """Singletons, null and nothing, numbers, texts."""
    assert differences([(text, _BINDINGS) for text in _EXPRESSIONS]) == []


@pytest.mark.parametrize(
    ("expression", "value"), [("$range(1,1,1)", 1), ("$range(1,9,9)", 1), ("$range(1,3,2)", [1, 3])]
)
def test_a_range_of_one_is_its_value(expression: str, value: Any) -> None:
    """As AWS recorded it: Step Functions' own functions give sequences, too."""
    assert ours(expression, {}) == {"value": value}


def test_an_empty_range_is_nothing() -> None:
    """As every empty sequence is."""
    assert ours("$range(2,1,1)", {}) == {"nothing": True}
