// Shows any JSON value: objects as lists of fields, nested as deep as they come.

function fieldList(value) {
  const list = html("dl", { class: "fields" });
  for (const [key, item] of Object.entries(value)) {
    const nested = isFilled(item);
    list.append(html("dt", {}, key), html("dd", { class: nested ? "nested" : null }, fieldValue(item)));
  }
  return list;
}

function fieldValue(value) {
  if (isFilled(value)) return fieldList(value);
  if (typeof value === "string") return value === "" ? "(empty)" : value;
  return JSON.stringify(value);
}

function isFilled(value) {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}
