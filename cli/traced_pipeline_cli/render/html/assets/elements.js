// Makes elements. What a trace holds becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

function html(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

function glyph(kind) {
  return svg("svg", { class: `glyph kind-${kind}`, "aria-hidden": "true" }, svg("use", { href: `#glyph-${kind}` }));
}

function at(id) {
  return document.getElementById(id);
}

/** A name that may be broken between its words, which are told apart by capitals and punctuation. */
function breakable(name) {
  return name.split(/(?<=[a-z0-9])(?=[A-Z])|(?<=[-_/.])/).flatMap((part) => [html("wbr"), part]).slice(1);
}

/** Tells screen readers what changed. */
function speak(text) {
  at("spoken").textContent = text;
}
