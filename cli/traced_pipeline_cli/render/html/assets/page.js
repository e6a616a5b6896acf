// Puts the page together: which trace, node or span is selected, and in which theme.

const ORDERS = {
  time: () => 0,
  slowest: (one, other) => other.seconds - one.seconds,
  waited: (one, other) => other.waited - one.waited,
  failed: (one, other) => Number(isBad(other)) - Number(isBad(one)),
};

const STATES = { fault: " · failed", throttle: " · throttled", error: " · error" };

function start() {
  const data = JSON.parse(at("data").textContent);
  at("title").textContent = data.title;
  at("summary").textContent = data.summary;
  themes();
  let trace = null;
  // The node the reader chose, which stays chosen in the next trace.
  let chosen = null;
  const go = { node: selectNode, row: selectRow, trace: showTrace };
  const map = new TraceMap(data, selectNode);
  if (!data.traces.length) {
    at("verdict").textContent = "There are no traces.";
    at("rows").hidden = true;
    return;
  }
  const waterfall = new Waterfall(selectRow);

  function selectNode(index) {
    chosen = index;
    map.select(index);
    waterfall.unselect();
    showNode(data, index, trace, go);
  }

  function selectRow(place) {
    chosen = trace.rows[place].node;
    openRow(place);
  }

  function openRow(place) {
    map.select(trace.rows[place].node);
    waterfall.select(place);
    showRow(data, trace.rows[place], trace, go);
  }

  function showTrace(index) {
    trace = data.traces[index];
    at("trace-choice").value = String(index);
    at("verdict").textContent = trace.limitExceeded ? `${trace.verdict} · X-Ray dropped segments, since the trace is too large` : trace.verdict;
    at("verdict").className = `verdict ${trace.state ? `state-${trace.state}` : trace.whole ? "" : "bad"}`;
    steps();
    waterfall.show(trace);
    if (chosen !== null) selectNode(chosen);
    else if (trace.failing !== null) openRow(trace.failing);
    else intro(data, trace, map);
  }

  function steps() {
    const choice = at("trace-choice");
    at("trace-before").disabled = choice.selectedIndex <= 0;
    at("trace-after").disabled = choice.selectedIndex >= choice.length - 1;
  }

  function order(name) {
    const places = data.traces.map((_, index) => index);
    places.sort((one, other) => ORDERS[name](data.traces[one], data.traces[other]) || one - other);
    const numbered = places.map((index) => {
      const { clock, took, state, whole, id } = data.traces[index];
      return html("option", { value: index }, `${clock.split(" ")[1]} · ${took}${STATES[state] ?? (whole ? "" : " · not connected")} · ${id}`);
    });
    at("trace-choice").replaceChildren(...numbered);
  }

  order("time");
  at("trace-choice").addEventListener("change", ({ target }) => showTrace(Number(target.value)));
  at("trace-order").addEventListener("change", ({ target }) => {
    order(target.value);
    showTrace(Number(at("trace-choice").options[0].value));
  });
  const step = (by) => () => showTrace(Number(at("trace-choice").options[at("trace-choice").selectedIndex + by].value));
  at("trace-before").addEventListener("click", step(-1));
  at("trace-after").addEventListener("click", step(1));
  showTrace(first(data.traces));
}

/** The trace to begin with: the latest that failed, or else the latest of those that passed the most nodes. */
function first(traces) {
  const rank = ({ state, nodes }) => (state ? Infinity : nodes);
  return traces.reduce((best, trace, index) => (rank(trace) >= rank(traces[best]) ? index : best), 0);
}

function isBad({ state, whole }) {
  return Boolean(state) || !whole;
}

function intro(data, trace, map) {
  map.select(null);
  const facts = { Trace: trace.id, Began: `${trace.clock} UTC`, Took: trace.took, Rows: String(trace.rows.length), ...trace.extra };
  fill(fieldList(facts), html("p", { class: "hint" }, "Select a node of the map or a row of the waterfall to see all of its fields, and what was logged."));
}

function themes() {
  at("themes").addEventListener("change", ({ target }) => {
    if (target.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = target.value;
  });
}

start();
