// The data of the page: lists put back in their places, and trials as rows.

export function modelOf(content) {
  const resolved = resolve(content, content.lists);
  const { names, ...parts } = resolved.trials;
  const params = Object.keys(parts.complete.params);
  const metrics = resolved.metrics.map((metric) => metric.name);
  const rows = Object.entries(parts).flatMap(([state, part]) =>
    part.number.map((_, i) => rowOf(part, i, { state, params, metrics, names })),
  );
  return { ...resolved, params, rows, byNumber: new Map(rows.map((row) => [row.trial, row])) };
}

function resolve(value, lists) {
  if (Array.isArray(value)) return value.map((each) => resolve(each, lists));
  if (value === null || typeof value !== "object") return value;
  if ("$" in value) return lists[value.$];
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== "lists")
      .map(([name, each]) => [name, resolve(each, lists)]),
  );
}

function rowOf(part, i, { state, params, metrics, names }) {
  const row = {
    trial: part.number[i],
    rank: part.rank[i],
    origin: part.origin[i],
    level: part.level[i],
    state,
    reason: part.reason ? part.reason[i] : "",
    params: new Map(),
    places: new Map(), // on the axes: a category's place, else the value itself
    means: new Map(),
    shown: new Map(),
    folds: (part.folds[metrics[0]] ?? []).map((fold) => fold[i]),
  };
  for (const name of params) {
    const place = part.params[name][i];
    if (place !== null) row.places.set(name, place);
    if (place !== null) row.params.set(name, Object.hasOwn(names, name) ? names[name][place] : place);
  }
  for (const name of metrics) {
    row.means.set(name, part.means[name][i]);
    row.shown.set(name, part.shown[name][i]);
  }
  return row;
}

export const OWN = ["trial", "rank", "state", "origin", "reason"];

// What a row has under a name: a parameter, else a metric, else one of its own fields; `of` says
// which of them is meant where a name is taken twice.
export function valueOf(row, name, of = null) {
  if (of !== "metric" && of !== "own" && row.params.has(name)) return row.params.get(name);
  if (of !== "param" && of !== "own" && row.means.has(name)) return row.means.get(name);
  return (of ?? "own") === "own" && OWN.includes(name) ? row[name] : null;
}

export function textOf(value) {
  if (value === null || value === undefined) return "–";
  const isTiny = typeof value === "number" && value !== 0 && Math.abs(value) < 1e-3;
  return isTiny ? value.toExponential() : String(value);
}
