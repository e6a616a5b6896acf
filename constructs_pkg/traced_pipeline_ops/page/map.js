// The map: nodes are buttons over lines; the same again as tables.

const NARROW = 760;
// Laying out takes about a second for the first, and a minute for the last, on a machine of two slow cores.
const MOST_AT_ONCE = 250;
const MOST = 1500;
const FEW = 12;

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
    this.fit();
    at("legend").textContent = this.legend();
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
    const share = node.failed ? html("span", { class: "share" }) : null;
    if (share) share.style.width = `${Math.max(3, node.failed * 100)}%`;
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
      node.failures ? html("strong", { class: "failures" }, node.failures) : null,
      node.inferred ? html("span", { class: "hidden" }, "inferred") : null,
      share,
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
    return notes.join(" · ");
  }

  tables() {
    const { data } = this;
    const choose = (index) => jump(`${data.nodes[index].word} ${data.nodes[index].label}`, () => this.onSelect(index));
    const table = (caption, heads, rows) =>
      html("table", {}, html("caption", {}, caption), html("thead", {}, html("tr", {}, heads.map((head) => html("th", { scope: "col" }, head)))), html("tbody", {}, rows));
    const cells = (...values) => html("tr", {}, values.map((value) => html("td", {}, value)));
    const nodes = data.nodes.map((node, index) =>
      cells(choose(index), node.type, String(node.count), node.median, node.longest, node.failures || "none", node.inferred ? "inferred" : "reported"));
    const edges = data.edges.map((edge) => cells(choose(edge.source), choose(edge.target), String(edge.requests), edge.wait || "–"));
    const links = data.links.map((link) => cells(link.sourceName, link.targetName, `${link.pairs} of traces`));
    at("tables").append(
      table("Nodes", ["Node", "Type", "Requests", "Median", "Longest", "Failures", "Seen"], nodes),
      table("Calls", ["From", "To", "Requests", "Wait"], edges),
      ...(links.length ? [table("Links between traces", ["From", "To", "How many"], links)] : []),
    );
  }

  fit() {
    const viewport = at("viewport");
    const room = { x: viewport.clientWidth - 24, y: Math.max(260, window.innerHeight * 0.7) };
    // A few nodes stay legible and may have to be dragged into sight; of many, the whole is shown first.
    const few = this.data.nodes.length <= FEW;
    const whole = Math.min(room.x / this.size.width, few ? 1 : room.y / this.size.height);
    this.scale = Math.min(1, Math.max(few ? 0.6 : 0.1, whole));
    const height = this.size.height * this.scale + 24;
    viewport.style.height = `${few ? height : Math.min(height, room.y + 24)}px`;
    this.offset = { x: Math.max(12, (viewport.clientWidth - this.size.width * this.scale) / 2), y: 12 };
    this.place();
  }

  zoom(factor) {
    const viewport = at("viewport");
    const [x, y] = [viewport.clientWidth / 2, viewport.clientHeight / 2];
    const scale = Math.min(2, Math.max(0.2, this.scale * factor));
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
      else this.fit();
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
