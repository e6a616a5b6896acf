// The waterfall of one trace. Only the rows in sight are in the page, so that ten thousand are as quick as ten.

const ROW_HEIGHT = 28;
const BEYOND = 8;

class Waterfall {
  constructor(onSelect) {
    this.onSelect = onSelect;
    this.root = at("rows");
    this.searched = "";
    this.sheet = html("div", { class: "sheet", role: "rowgroup" });
    this.root.addEventListener("scroll", () => this.later());
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.later()).observe(this.root);
    at("find").addEventListener("input", ({ target }) => this.find(target.value));
  }

  show(trace) {
    this.rows = trace.rows;
    this.collapsed = new Set();
    this.selected = null;
    this.active = 0;
    const ticks = trace.ticks;
    const head = html(
      "div",
      { role: "row", class: "row head", "aria-rowindex": 1 },
      html("div", { role: "columnheader", class: "what" }, "Span"),
      html("div", { role: "columnheader", class: "took" }, "Took"),
      html("div", { role: "columnheader", class: "time" }, html("b", { class: "hidden" }, "When"), ticks.filter(([fraction]) => fraction < 0.95).map(([fraction, text]) => moved(html("span", { "aria-hidden": "true" }, text), fraction))),
    );
    const lines = html("div", { class: "time" }, ticks.map(([fraction]) => moved(html("span", { class: "grid" }), fraction)));
    this.lines = html("div", { class: "row lines", "aria-hidden": "true" }, lines);
    this.root.replaceChildren(html("div", { role: "rowgroup", class: "head" }, head), this.sheet);
    this.root.scrollTop = 0;
    this.refresh();
  }

  find(text) {
    this.searched = text.trim();
    this.active = 0;
    this.refresh();
    at("rows-hint").textContent = this.searched ? `${this.visible.length} of ${this.rows.length} rows` : "";
  }

  refresh() {
    this.visible = visibleRows(this.rows, this.collapsed, this.searched);
    this.active = Math.max(0, Math.min(this.active, this.visible.length - 1));
    this.sheet.style.height = `${this.visible.length * ROW_HEIGHT}px`;
    this.root.setAttribute("aria-rowcount", this.visible.length + 1);
    this.draw();
  }

  later() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = undefined;
      if (this.visible) this.draw();
    });
  }

  draw() {
    const first = Math.max(0, Math.floor(this.root.scrollTop / ROW_HEIGHT) - BEYOND);
    const last = Math.min(this.visible.length, Math.ceil((this.root.scrollTop + this.root.clientHeight) / ROW_HEIGHT) + BEYOND);
    const shown = [];
    for (let number = first; number < last; number += 1) shown.push(this.element(number));
    // The row that assistive technology is on stays, wherever the rest has been scrolled to.
    if (this.visible.length && (this.active < first || this.active >= last)) shown.push(this.element(this.active));
    this.sheet.replaceChildren(this.lines, ...shown);
    if (this.visible.length) this.root.setAttribute("aria-activedescendant", `row-${this.visible[this.active]}`);
    else this.root.removeAttribute("aria-activedescendant");
  }

  element(number) {
    const place = this.visible[number];
    const open = hasInner(this.rows, place) && !this.searched ? !this.collapsed.has(place) : null;
    const made = rowElement(this.rows[place], place, { open, number, selected: place === this.selected, active: number === this.active });
    made.style.top = `${number * ROW_HEIGHT}px`;
    return made;
  }

  /** Selects a row, wherever it is, and brings it into sight. */
  select(place) {
    if (!this.visible.includes(place)) {
      this.searched = at("find").value = "";
      this.collapsed.clear();
      this.refresh();
    }
    this.selected = place;
    this.move(this.visible.indexOf(place));
  }

  unselect() {
    this.selected = null;
    this.draw();
  }

  move(number) {
    this.active = Math.max(0, Math.min(number, this.visible.length - 1));
    const top = this.active * ROW_HEIGHT;
    const room = this.root.clientHeight - ROW_HEIGHT;
    if (top < this.root.scrollTop) this.root.scrollTop = top;
    else if (top + ROW_HEIGHT > this.root.scrollTop + room) this.root.scrollTop = top + ROW_HEIGHT - room;
    this.draw();
  }

  toggle(place, open) {
    if (open) this.collapsed.delete(place);
    else this.collapsed.add(place);
    this.refresh();
  }

  click({ target }) {
    const row = target.closest("[data-place]");
    if (!row) return;
    const place = Number(row.dataset.place);
    this.active = this.visible.indexOf(place);
    if (target.classList.contains("twist") && hasInner(this.rows, place)) this.toggle(place, this.collapsed.has(place));
    else this.onSelect(place);
  }

  key(event) {
    const place = this.visible[this.active];
    const page = Math.max(1, Math.floor(this.root.clientHeight / ROW_HEIGHT) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) this.move(Math.max(0, Math.min(this.visible.length - 1, this.active + steps[event.key])));
    else if (event.key === "Enter" || event.key === " ") this.onSelect(place);
    else if (event.key === "ArrowRight" && hasInner(this.rows, place)) this.toggle(place, true);
    else if (event.key === "ArrowLeft") this.leave(place);
    else return;
    event.preventDefault();
  }

  /** Closes a row, or goes from one that is closed to the one around it. */
  leave(place) {
    if (hasInner(this.rows, place) && !this.collapsed.has(place)) {
      this.toggle(place, false);
      return;
    }
    for (let number = this.active - 1; number >= 0; number -= 1) {
      if (this.rows[this.visible[number]].depth < this.rows[place].depth) {
        this.move(number);
        return;
      }
    }
  }
}

function moved(made, fraction) {
  made.style.left = `${fraction * 100}%`;
  return made;
}
