"""The import graph of the packages: no circle, the imports of the type checker included."""

from __future__ import annotations

import grimp
import pytest

PACKAGES = ("bench", "smoothswap", "metrics", "reports")


def circle(imports: dict[str, set[str]]) -> list[str]:
    """The names along one circle of a graph, the first again at the end; [] where there is none."""
    finished: set[str] = set()
    for start in sorted(imports):
        path: list[str] = []
        waiting = [(start, iter(sorted(imports[start])))] if start not in finished else []
        while waiting:
            name, others = waiting[-1]
            if not path or path[-1] != name:
                path.append(name)
            for other in others:
                if other in path:
                    return [*path[path.index(other) :], other]
                if other not in finished:
                    waiting.append((other, iter(sorted(imports[other]))))
                    break
            else:
                waiting.pop()
                path.pop()
                finished.add(name)
    return []


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    built = grimp.build_graph(*PACKAGES, cache_dir=None, exclude_type_checking_imports=False)
    return {name: set(built.find_modules_directly_imported_by(name)) for name in built.modules}


def test_no_module_imports_itself_by_way_of_others(graph: dict[str, set[str]]) -> None:
    assert len(graph) > 100
    assert not (found := circle(graph)), " -> ".join(found)


def test_a_circle_would_be_named() -> None:
    straight = {"a": {"b", "c"}, "b": {"c"}, "c": set(), "d": {"a", "c"}}
    assert circle(straight) == []
    assert circle(straight | {"c": {"d"}}) == ["a", "b", "c", "d", "a"]
    assert circle({"a": {"a"}}) == ["a", "a"]
