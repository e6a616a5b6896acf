// The map: nodes are buttons over lines; the same again as tables.

const NARROW = 760;
// Laying out takes about a second for the first, and a minute for the last, on a machine of two slow cores.
const MOST_AT_ONCE = 250;
const MOST = 1500;
const FEW = 12;
// Scales: below the first, names and numbers cannot be read; a few nodes may be smaller, so that they are all in sight.
const LEGIBLE = 0.8;
const LEAST_OF_FEW = 0.6;
const LEAST = 0.1;
const MARGIN = 12;

class TraceMap {
  constructor(data, onSelect) {
    this.data = data;
    this.onSelect = onSelect;
    this.selected = null;
    this.scale = 1;
    this.offset = { x: 0, y: 0 };
    this.drawAnyway = false;
    this.draw();
    at("as-table").addEventListener("toggle", () => this.tables(), { once: true });
    this.listen();
  }

  draw() {
    const { data } = this;
    const stage = at("stage");
    const parts = Math.max(data.nodes.length, data.edges.length);
    if (parts > (this.drawAnyway ? MOST : MOST_AT_ONCE)) {
      this.offerToDraw(parts);
      return;
    }
    this.vertical = at("viewport").clientWidth < NARROW;
    const found = layOut(data, this.vertical);
    this.size = found;
    const lines = svg("svg", { width: found.width, height: found.height, "aria-hidden": "true" });
    const labels = [];
    for (const frame of found.frames) lines.append(...this.frame(frame, found));
    for (const { edge, points, label } of found.lines) {
      lines.append(svg("path", { class: "edge", d: curve(points), "marker-end": "url(#edge-head)" }));
      if (edge.wait) labels.push(this.label(`waits ${edge.wait}`, "waits", label));
    }
    for (const link of data.links) this.link(link, found.places, lines, labels);
    const buttons = data.nodes.map((node, index) => this.button(node, index, found.places.get(index)));
    stage.replaceChildren(lines, ...labels, ...buttons);
    this.mark();
    this.open();
  }

  offerToDraw(parts) {
    const { nodes, edges } = this.data;
    const text = `The map has ${nodes.length} nodes and ${edges.length} edges. The table below has them all.`;
    const draw = () => {
      this.drawAnyway = true;
      this.draw();
    };
    at("stage").replaceChildren(html("p", { class: "notice" }, `${text} `, parts > MOST ? null : html("button", { type: "button", click: draw }, "Draw it all the same")));
    at("viewport").style.height = "120px";
  }

  frame({ cluster, x, y, width, height }, { frames }) {
    const name = frames.length > 1 ? `Cluster ${frames.findIndex((frame) => frame.cluster === cluster) + 1}` : "One cluster";
    return [
      svg("rect", { class: "frame", x: x + 0.5, y: y + 0.5, width: width - 1, height: height - 1, rx: 12 }),
      svg("text", { class: "frame-label", x: x + 16, y: y + 22 }, `${name} · ${cluster.traces}`),
    ];
  }

  label(text, kind, { x, y }) {
    const made = html("span", { class: `edge-label ${kind}`, "aria-hidden": "true" }, text);
    made.style.left = `${x}px`;
    made.style.top = `${y}px`;
    return made;
  }

  link(link, places, lines, labels) {
    const [from, to] = [places.get(link.source), places.get(link.target)];
    if (!from || !to || link.source === link.target) return;
    const points = linkPoints(from, to);
    lines.append(svg("path", { class: "link", d: curve(points), "marker-end": "url(#link-head)" }));
    const middle = { x: (points[1].x + points[2].x) / 2, y: (points[1].y + points[2].y) / 2 };
    labels.push(this.label(`linked, ${link.pairs} of traces`, "links", middle));
  }

  button(node, index, place) {
    const bars = node.failures.map(({ state, fraction }) => {
      const bar = html("span", { class: `state-${state}` });
      bar.style.width = `${Math.max(3, fraction * 100)}%`;
      return bar;
    });
    const made = html(
      "button",
      {
        type: "button",
        class: `node kind-${node.kind}${node.inferred ? " inferred" : ""}`,
        "data-node": index,
        "aria-pressed": "false",
        title: `${node.name}\n${node.type}`,
        click: () => this.onSelect(index),
      },
      glyph(node.kind),
      html("span", { class: "word" }, node.word),
      html("span", { class: "label" }, ...breakable(node.label)),
      html("span", { class: "facts" }, `${node.requests} · ${node.median}`),
      bars.length ? html("span", { class: "failures" }, node.failures.map(({ state, text }) => html("strong", { class: `state-${state}` }, text))) : null,
      node.inferred ? html("span", { class: "hidden" }, "inferred") : null,
      bars.length ? html("span", { class: "failure-bars" }, bars) : null,
    );
    Object.assign(made.style, { left: `${place.x - NODE.width / 2}px`, top: `${place.y - NODE.height / 2}px`, width: `${NODE.width}px`, height: `${NODE.height}px` });
    return made;
  }

  select(index) {
    this.selected = index;
    this.mark();
  }

  mark() {
    for (const button of at("stage").querySelectorAll(".node")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.node) === this.selected));
    }
  }

  legend() {
    const notes = [];
    if (this.data.nodes.some((node) => node.inferred)) notes.push("Dashed border: inferred by X-Ray from its caller");
    if (this.data.links.length) notes.push("Dotted line: Lambda’s link between two traces, which stay two");
    if (this.data.clusters.length > 1) notes.push("No parent id connects the clusters");
    if (this.data.nodes.some((node) => node.failures.length)) notes.push("Fault: 5xx or an exception; error: 4xx; throttle: 429");
    if (this.isLarger) notes.push("Drag the map to see the rest, or Fit it");
    return notes.join(" · ");
  }

  tables() {
    const { data } = this;
    const choose = (index) => jump(`${data.nodes[index].word} ${data.nodes[index].label}`, () => this.onSelect(index));
    const table = (caption, heads, rows) =>
      html("table", {}, html("caption", {}, caption), html("thead", {}, html("tr", {}, heads.map((head) => html("th", { scope: "col" }, head)))), html("tbody", {}, rows));
    const cells = (...values) => html("tr", {}, values.map((value) => html("td", {}, value)));
    const nodes = data.nodes.map((node, index) =>
      cells(choose(index), node.type, String(node.count), node.median, node.longest, node.failures.map(({ text }) => text).join(", ") || "none", node.inferred ? "inferred" : "reported"));
    const edges = data.edges.map((edge) => cells(choose(edge.source), choose(edge.target), String(edge.requests), edge.wait || "–"));
    const links = data.links.map((link) => cells(link.sourceName, link.targetName, `${link.pairs} of traces`));
    at("tables").append(
      table("Nodes", ["Node", "Type", "Requests", "Median", "Longest", "Failures", "Seen"], nodes),
      table("Calls", ["From", "To", "Requests", "Wait"], edges),
      ...(links.length ? [table("Links between traces", ["From", "To", "How many"], links)] : []),
    );
  }

  /** Shows the map as it can be read: a large one from its first node on, the rest to be dragged into sight. */
  open() {
    const few = this.data.nodes.length <= FEW;
    this.show(Math.min(1, Math.max(few ? LEAST_OF_FEW : LEGIBLE, this.whole())));
  }

  /** Shows all of the map, however small it gets. */
  fit() {
    this.show(Math.min(1, Math.max(LEAST, this.whole())));
  }

  /** The scale at which all of the map is in sight. */
  whole() {
    const few = this.data.nodes.length <= FEW;
    return Math.min((at("viewport").clientWidth - 2 * MARGIN) / this.size.width, few ? 1 : this.room() / this.size.height);
  }

  /** The height there is for a map. */
  room() {
    return Math.max(260, window.innerHeight * 0.7);
  }

  show(scale) {
    const viewport = at("viewport");
    this.scale = scale;
    const [width, height] = [this.size.width * scale, this.size.height * scale];
    const shown = this.data.nodes.length <= FEW ? height : Math.min(height, this.room());
    viewport.style.height = `${shown + 2 * MARGIN}px`;
    this.isLarger = width > viewport.clientWidth - MARGIN || height > shown + 1;
    const first = this.size.places.get(0) ?? { x: 0, y: 0 };
    // A map that fits stands in the middle; of a larger one, the first node does, as far as its borders allow.
    const placed = (room, length, middle) =>
      length <= room ? MARGIN + (room - length) / 2 : MARGIN + Math.min(0, Math.max(room - length, room / 2 - middle * scale));
    this.offset = { x: placed(viewport.clientWidth - 2 * MARGIN, width, first.x), y: placed(shown, height, first.y) };
    this.place();
    at("legend").textContent = this.legend();
  }

  zoom(factor) {
    const viewport = at("viewport");
    const [x, y] = [viewport.clientWidth / 2, viewport.clientHeight / 2];
    const scale = Math.min(2, Math.max(LEAST, this.scale * factor));
    const grown = scale / this.scale;
    this.offset = { x: x - (x - this.offset.x) * grown, y: y - (y - this.offset.y) * grown };
    this.scale = scale;
    this.place();
  }

  place() {
    at("stage").style.transform = `translate(${this.offset.x}px, ${this.offset.y}px) scale(${this.scale})`;
  }

  listen() {
    const viewport = at("viewport");
    at("zoom-in").addEventListener("click", () => this.zoom(1.25));
    at("zoom-out").addEventListener("click", () => this.zoom(0.8));
    at("zoom-fit").addEventListener("click", () => this.fit());
    let from = null;
    viewport.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && !event.target.closest("button")) from = { x: event.clientX - this.offset.x, y: event.clientY - this.offset.y };
    });
    window.addEventListener("pointermove", (event) => {
      if (!from || !this.size) return;
      this.offset = { x: event.clientX - from.x, y: event.clientY - from.y };
      this.place();
    });
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, () => (from = null));
    // A node that has the focus is moved into sight, since the map scrolls by its own offset alone.
    viewport.addEventListener("focusin", ({ target }) => this.reveal(target));
    viewport.addEventListener("scroll", () => viewport.scrollTo(0, 0));
    let width = viewport.clientWidth;
    new ResizeObserver(() => {
      if (viewport.clientWidth === width || !this.size) return;
      width = viewport.clientWidth;
      if (width < NARROW !== this.vertical) this.draw();
      else this.open();
    }).observe(viewport);
  }

  reveal(target) {
    if (!this.size || !target.classList.contains("node")) return;
    const [inner, outer] = [target.getBoundingClientRect(), at("viewport").getBoundingClientRect()];
    const step = (low, high, from, to) => Math.max(0, from + 8 - low) + Math.min(0, to - 8 - high);
    this.offset.x += step(inner.left, inner.right, outer.left, outer.right);
    this.offset.y += step(inner.top, inner.bottom, outer.top, outer.bottom);
    this.place();
  }
}
