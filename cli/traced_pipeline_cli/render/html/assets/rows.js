// The rows of a waterfall: which are to be seen, and what each looks like.

/** The places of the rows that no collapsed row hides and that hold the searched text. */
function visibleRows(rows, collapsed, searched) {
  const found = [];
  const wanted = searched.toLowerCase();
  let hiddenBelow = Infinity;
  rows.forEach((row, place) => {
    if (wanted) {
      if (`${row.word} ${row.name}`.toLowerCase().includes(wanted)) found.push(place);
      return;
    }
    if (row.depth > hiddenBelow) return;
    hiddenBelow = collapsed.has(place) ? row.depth : Infinity;
    found.push(place);
  });
  return found;
}

function hasInner(rows, place) {
  return place + 1 < rows.length && rows[place + 1].depth > rows[place].depth;
}

const MOST_INDENTS = 16;

function rowElement(row, place, { open, selected, active, number }) {
  const names = ["row", row.segment ? "segment" : "", row.waiting ? "waiting" : "", row.inferred ? "inferred" : "", row.state ? `failed state-${row.state}` : "", active ? "active" : ""];
  const what = html(
    "div",
    { role: "gridcell", class: "what" },
    html("span", { class: "twist", "aria-hidden": "true" }, open === null ? null : open ? "▾" : "▸"),
    row.segment || row.waiting ? glyph(row.waiting ? "wait" : row.kind) : null,
    html("span", { class: "text" }, row.word ? html("span", { class: "word" }, `${row.word} `) : null, html("span", { class: "name" }, row.name)),
    row.state ? html("span", { class: "tag" }, row.stateWord) : null,
  );
  what.style.setProperty("--depth", Math.min(row.depth, MOST_INDENTS));
  const time = html("div", { role: "gridcell", class: "time" }, html("span", { class: "hidden" }, `begins ${row.begins}`), bar(row));
  return html(
    "div",
    {
      role: "row",
      id: `row-${place}`,
      class: `${names.filter(Boolean).join(" ")} kind-${row.kind}`,
      "data-place": place,
      "aria-level": row.depth + 1,
      "aria-rowindex": number + 2,
      "aria-expanded": open === null ? null : String(open),
      "aria-selected": String(selected),
      title: row.title,
    },
    what,
    html("div", { role: "gridcell", class: "took" }, row.took),
    time,
  );
}

function bar(row) {
  const mark = html("span", { class: "mark" });
  mark.style.left = `${Math.min(row.from * 100, 99.5)}%`;
  mark.style.width = `${Math.min(row.fraction, 1 - row.from) * 100}%`;
  if (!row.waiting) return [mark];
  const text = html("span", { class: "mark-text", "aria-hidden": "true" }, row.took);
  if (row.fraction > 0.3) {
    text.classList.add("inside");
    text.style.left = `${(row.from + row.fraction / 2) * 100}%`;
  } else if (row.from > 1 - row.from - row.fraction) text.style.right = `${(1 - row.from) * 100}%`;
  else text.style.left = `${(row.from + row.fraction) * 100}%`;
  return [mark, text];
}
