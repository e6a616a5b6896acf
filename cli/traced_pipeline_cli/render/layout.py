"""Puts a map's nodes into layers: callers before the called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

_SWEEPS = 4


def layers(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Layer nodes by their longest path from a node nobody calls, and order each layer to cross few edges.

    Args:
        nodes: The node ids; their order decides where nothing else does, so the result is always the same.
        edges: Caller and called; edges to other nodes are ignored, and so are those that close a circle.

    Returns:
        The layers, each a list of ids.
    """
    known = set(nodes)
    followers: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        if source in known and target in known and source != target and target not in followers[source]:
            followers[source].append(target)
    order = _topological(nodes, followers)
    position = {node: index for index, node in enumerate(order)}
    forward = [(source, target) for source in order for target in followers[source]]
    forward = [(source, target) for source, target in forward if position[source] < position[target]]
    depth = dict.fromkeys(order, 0)
    for source, target in forward:
        depth[target] = max(depth[target], depth[source] + 1)
    result: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in nodes:
        result[depth[node]].append(node)
    return _untangled(result, forward)


def _topological(nodes: Sequence[str], followers: dict[str, list[str]]) -> list[str]:
    """Every node after its callers, but for the edges that close a circle."""
    called = {target for targets in followers.values() for target in targets}
    starts = [node for node in nodes if node not in called] + list(nodes)
    done: list[str] = []
    seen: set[str] = set()
    for start in starts:
        if start in seen:
            continue
        seen.add(start)
        stack = [(start, iter(followers[start]))]
        while stack:
            node, rest = stack[-1]
            following = next((target for target in rest if target not in seen), None)
            if following is None:
                done.append(node)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(followers[following])))
    return done[::-1]


def _untangled(result: list[list[str]], edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Returns the layers with each node near the middle of its neighbours."""
    neighbours: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        neighbours[source].append(target)
        neighbours[target].append(source)
    for sweep in range(_SWEEPS):
        rows = {node: row for layer in result for row, node in enumerate(layer)}
        for layer in result if sweep % 2 == 0 else reversed(result):
            middles = {
                node: sum(rows[other] for other in neighbours[node]) / len(neighbours[node])
                if neighbours[node]
                else rows[node]
                for node in layer
            }
            layer.sort(key=middles.__getitem__)
            rows.update({node: row for row, node in enumerate(layer)})
    return result
