// Where the map's nodes and edges stand: every cluster laid out by dagre, the clusters one below the other.

const LOW = 118;
const NODE = { width: 178, height: LOW };
// The height of a line that says what failed; two fit into one.
const FAILURES = { height: 20, inLine: 2 };
const FRAME = { pad: 18, top: 34, gap: 26 };

function layOut(data, vertical) {
  const failures = Math.max(0, ...data.nodes.map((node) => node.failures.length));
  NODE.height = LOW + FAILURES.height * Math.ceil(failures / FAILURES.inLine);
  const places = new Map();
  const lines = [];
  const frames = [];
  let top = 0;
  let width = 0;
  for (const cluster of data.clusters) {
    const graph = clusterGraph(data, cluster, vertical);
    dagre.layout(graph);
    const size = graph.graph();
    const [left, upper] = [FRAME.pad, top + FRAME.top];
    for (const name of graph.nodes()) {
      const { x, y } = graph.node(name);
      places.set(Number(name), { x: left + x, y: upper + y });
    }
    for (const { v, w } of graph.edges()) {
      const { points, x, y, edge } = graph.edge(v, w);
      const moved = points.map((point) => ({ x: left + point.x, y: upper + point.y }));
      const middle = moved[Math.floor(moved.length / 2)];
      const label = x === undefined ? middle : { x: left + x, y: upper + y };
      lines.push({ edge, points: moved, label });
    }
    const frame = { cluster, x: 0, y: top, width: size.width + 2 * FRAME.pad, height: size.height + FRAME.top + FRAME.pad };
    frames.push(frame);
    top += frame.height + FRAME.gap;
    width = Math.max(width, frame.width);
  }
  return { places, lines, frames, width, height: Math.max(0, top - FRAME.gap) };
}

function clusterGraph(data, cluster, vertical) {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: vertical ? "TB" : "LR", nodesep: 30, ranksep: vertical ? 30 : 34, marginx: 2, marginy: 2 });
  const inside = new Set(cluster.nodes);
  for (const index of cluster.nodes) graph.setNode(String(index), { ...NODE });
  for (const edge of data.edges) {
    if (!inside.has(edge.source)) continue;
    const label = edge.wait ? { width: 96, height: 22 } : { width: 6, height: 6 };
    graph.setEdge(String(edge.source), String(edge.target), { edge, labelpos: "c", ...label });
  }
  return graph;
}

/** A smooth line through points. */
function curve(points) {
  const [first, ...rest] = points;
  let path = `M${point(first)}`;
  for (let index = 0; index < rest.length - 1; index += 1) {
    const [here, next] = [rest[index], rest[index + 1]];
    const end = index === rest.length - 2 ? next : { x: (here.x + next.x) / 2, y: (here.y + next.y) / 2 };
    path += `Q${point(here)} ${point(end)}`;
  }
  return rest.length === 1 ? `${path}L${point(rest[0])}` : path;
}

function point({ x, y }) {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

/** A link's line, from the border of one node to that of another. */
function linkPoints(source, target) {
  const from = { x: source.x + NODE.width * 0.3, y: source.y };
  const to = { x: target.x + NODE.width * 0.3, y: target.y };
  if (Math.abs(to.y - from.y) > NODE.height) {
    const down = to.y > from.y ? 1 : -1;
    const [start, end] = [from.y + (down * NODE.height) / 2, to.y - (down * (NODE.height + 8)) / 2];
    return [{ x: from.x, y: start }, { x: from.x, y: (start + end) / 2 }, { x: to.x, y: (start + end) / 2 }, { x: to.x, y: end }];
  }
  const [start, end] = [from.y - NODE.height / 2, to.y - NODE.height / 2 - 4];
  return [{ x: from.x, y: start }, { x: from.x, y: start - 22 }, { x: to.x, y: end - 22 }, { x: to.x, y: end }];
}
