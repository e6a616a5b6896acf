// The panel beside the waterfall: what is known of a node or of a span.

/** What of a span's fields is named first; the rest follows as it came. */
const FIRST = ["cause", "annotations", "metadata", "http", "aws", "sql"];

function showNode(data, index, trace, go) {
  const node = data.nodes[index];
  const facts = {
    Type: node.type,
    Name: node.name,
    Requests: String(node.count),
    "Median time": node.median,
    "Longest time": node.longest,
    "Known from": node.inferred ? "its caller: X-Ray inferred it, since it sends nothing itself" : "its own segments",
    "In X-Ray": node.circles.join("; "),
  };
  const rows = trace.rows.map((row, place) => ({ row, place })).filter(({ row }) => row.node === index && row.segment);
  fill(
    heading(node.kind, node.word, node.label),
    node.failures.map(({ state, text }) => html("p", { class: `state-text state-${state}` }, text)),
    fieldList(facts),
    neighbours("Called by", data.edges.filter((edge) => edge.target === index), "source", data, go),
    neighbours("Calls", data.edges.filter((edge) => edge.source === index), "target", data, go),
    html("h3", {}, "In this trace"),
    rows.length
      ? html("ul", { class: "list" }, rows.map(({ row, place }) => html("li", {}, jump(`${row.word} ${row.name}`, () => go.row(place)), ` · ${row.took}`)))
      : html("p", { class: "hint" }, "This trace did not pass it. ", node.traces.length ? jump("Show one that did", () => go.trace(node.traces.at(-1))) : null),
    logSection(data, index, trace),
  );
  speak(`Details of ${node.word} ${node.label}`);
}

function showRow(data, row, trace, go) {
  const facts = { Begins: row.begins, Took: row.took };
  if (row.waiting) {
    fill(
      heading("wait", "Waiting time", row.name),
      fieldList(facts),
      html("p", { class: "hint" }, `${row.note} X-Ray has no span for it.`),
    );
    speak(`Details: ${row.name}`);
    return;
  }
  const { fields } = row;
  const word = row.word || "Subsegment";
  const first = Object.fromEntries(FIRST.filter((key) => key in fields).map((key) => [key, fields[key]]));
  const rest = Object.fromEntries(Object.entries(fields).filter(([key]) => !FIRST.includes(key)));
  fill(
    heading(row.kind, word, row.name),
    row.state ? html("p", { class: `state-text state-${row.state}` }, row.stateWord) : null,
    row.exceptions.map((text) => html("p", { class: `exception state-${row.state || "fault"}` }, text)),
    fieldList(facts),
    row.node === null ? null : html("p", { class: "list" }, jump(`Node ${data.nodes[row.node].label}`, () => go.node(row.node))),
    row.links.length ? [html("h3", {}, "Linked traces"), html("ul", { class: "list" }, row.links.map((link) => linkItem(link, go)))] : [],
    Object.entries(first).map(([key, value]) => [html("h3", {}, key), isFilled(value) ? fieldList(value) : html("p", {}, fieldValue(value))]),
    html("h3", {}, "Document"),
    fieldList(rest),
    html("details", {}, html("summary", {}, "As JSON"), html("pre", {}, JSON.stringify(fields, null, 2))),
    row.node === null ? null : logSection(data, row.node, trace, row),
  );
  speak(`Details of ${word} ${row.name}`);
}

function heading(kind, word, label) {
  return html("div", { class: "head-line" }, glyph(kind), html("div", {}, html("div", { class: "hint" }, word), html("strong", {}, label)));
}

function jump(text, then) {
  return html("button", { type: "button", class: "jump", click: then }, text);
}

function neighbours(title, edges, end, data, go) {
  if (!edges.length) return [];
  const items = edges.map((edge) => {
    const other = data.nodes[edge[end]];
    const wait = edge.wait ? ` · waits ${edge.wait}` : "";
    return html("li", {}, jump(`${other.word} ${other.label}`, () => go.node(edge[end])), ` · ${edge.requests}${wait}`);
  });
  return [html("h3", {}, title), html("ul", { class: "list" }, items)];
}

function linkItem(link, go) {
  const text = `${link.type ?? "linked"}: ${link.name}`;
  return html("li", {}, link.trace === null ? `${text} (not in this page)` : jump(text, () => go.trace(link.trace)));
}

/** The id of the message's segment that a row is, or is part of, where any line was logged for it. */
function loggedSegment(logs, rows, place) {
  const ids = new Set(logs.lines.map((line) => line.segment));
  let { depth } = rows[place];
  for (let above = place; above >= 0; above -= 1) {
    const row = rows[above];
    if (above !== place && row.depth >= depth) continue;
    depth = row.depth;
    if (row.fields && ids.has(row.fields.id)) return row.fields.id;
    if (row.segment) return null;
  }
  return null;
}

function logSection(data, index, trace, row) {
  const logs = data.logs[index];
  if (!logs) return [];
  const place = data.traces.indexOf(trace);
  const segment = row ? loggedSegment(logs, trace.rows, trace.rows.indexOf(row)) : null;
  const scopes = [
    segment === null ? null : { text: "of this message", holds: (line) => line.segment === segment },
    { text: "of this trace", holds: (line) => line.traces.includes(place) },
    data.traces.length > 1 ? { text: "of all traces", holds: () => true } : null,
  ].filter(Boolean);
  const list = html("ol", { class: "log", tabindex: "0", "aria-label": "Log lines" });
  const note = html("p", { class: "hint" });
  const show = ({ holds }) => {
    const lines = logs.lines.filter(holds);
    list.replaceChildren(...lines.map((line) => html("li", {}, html("time", {}, line.clock), line.text)));
    list.hidden = !lines.length;
    note.textContent = logs.problem ?? (lines.length ? "" : "It logged nothing for this trace.");
  };
  const choice = (scope, number) =>
    html("label", {}, html("input", { type: "radio", name: "log-lines", checked: !number, change: () => show(scope) }), scope.text);
  show(scopes[0]);
  return [
    html("h3", {}, "Logs"),
    logs.group ? html("p", { class: "hint" }, logs.group) : null,
    logs.lines.length && scopes.length > 1
      ? html("fieldset", { class: "choice" }, html("legend", { class: "hidden" }, "Log lines to show"), scopes.map(choice))
      : null,
    note,
    list,
  ];
}

function fill(...parts) {
  const panel = at("details");
  panel.replaceChildren(...parts.flat(Infinity).filter((part) => part !== null && part !== ""));
  panel.scrollTop = 0;
}
