// The search field: `rate>0.1 kernel=rbf failed` keeps rows for which every word holds.

import { OWN, textOf, valueOf } from "./model.js";

const WORD = /"[^"]*"|\S+/g;
const COMPARISON = /^(.+?)(!=|>=|<=|=|>|<)(.*)$/;

// A test of rows, and what could not be understood.
export function filterOf(text, names) {
  const known = new Set([...names, ...OWN]);
  const tests = [];
  const unknown = [];
  for (const word of joined(text)) {
    const [, name, sign, wanted] = COMPARISON.exec(word) ?? [];
    const key = name === undefined ? undefined : nameOf(name, known);
    if (name === undefined) tests.push(containing(word));
    else if (key === undefined) unknown.push(name);
    else if (wanted !== "") tests.push((row) => holds(valueOf(row, key), sign, wanted));
  }
  return { test: (row) => tests.every((test) => test(row)), unknown };
}

// Quoted words without their quotes, blanks around comparisons closed.
function joined(text) {
  const closed = text.replace(/\s*(!=|>=|<=|=|>|<)\s*/g, "$1");
  return (closed.match(WORD) ?? []).map((word) => word.replaceAll('"', ""));
}

function nameOf(name, known) {
  if (known.has(name)) return name;
  const lower = name.toLowerCase();
  return [...known].find((each) => each.toLowerCase() === lower);
}

function containing(word) {
  const wanted = word.toLowerCase();
  return (row) => {
    const params = [...row.params].map(([name, value]) => `${name}=${textOf(value)}`);
    const all = [row.trial, row.state, row.origin, row.reason, ...params].join("\n");
    return all.toLowerCase().includes(wanted);
  };
}

function holds(value, sign, wanted) {
  if (value === null || value === undefined) return false;
  const [a, b] = [Number(value), Number(wanted)];
  const isNumber = typeof value === "number" && !Number.isNaN(b);
  const order = isNumber ? Math.sign(a - b) : textOf(value).localeCompare(wanted);
  const isEqual = isNumber ? a === b : textOf(value).toLowerCase() === wanted.toLowerCase();
  if (sign === "=") return isEqual;
  if (sign === "!=") return !isEqual;
  if (sign === ">") return order > 0;
  if (sign === "<") return order < 0;
  return isEqual || (sign === ">=" ? order > 0 : order < 0);
}
