// The trials: searched, sorted, and a page of them at a time.

import { element, shape } from "./dom.js";
import { textOf, valueOf } from "./model.js";

const PER_PAGE = 25;

export class Table {
  constructor(store) {
    this.store = store;
    this.field = element("input", {
      id: "filter",
      type: "search",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: "depth>5 kernel=rbf failed",
      "aria-describedby": "filter-help",
      oninput: () => store.change({ text: this.field.value, page: 0 }),
    });
    this.count = element("p", { class: "count", role: "status" });
    this.chips = element("p", { class: "chips" });
    this.head = element("thead");
    this.body = element("tbody");
    this.pager = element("p", { class: "pager" });
    this.element = element(
      "section",
      { class: "card table", id: "trials", tabindex: "-1", "aria-labelledby": "trials-heading" },
      element("h2", { id: "trials-heading" }, "Trials"),
      element("div", { class: "search" }, element("label", { for: "filter" }, "Filter"), this.field),
      element("p", { class: "note", id: "filter-help" }, "Words are searched everywhere; compare with name=value, name>0.1, name<=5, name!=x. Or drag along an axis of the parallel coordinates."),
      this.chips,
      this.count,
      element(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of trials" },
        element("table", {}, this.head, this.body),
      ),
      this.pager,
    );
  }

  columns() {
    const { model } = this.store;
    const hasFailed = model.rows.some((row) => row.reason);
    const called = (of) => (name) => ({ name, of });
    return [
      ...["rank", "trial"].map(called("own")),
      ...model.metrics.map((metric) => metric.name).map(called("metric")),
      { name: "folds", of: "picture" },
      ...model.params.map(called("param")),
      ...(hasFailed ? ["reason"] : []).map(called("own")),
    ];
  }

  draw() {
    const { store } = this;
    const rows = sorted(store.rows, store.sort);
    const nPages = Math.max(Math.ceil(rows.length / PER_PAGE), 1);
    const at = Math.min(store.page, nPages - 1);
    this.head.replaceChildren(element("tr", {}, ...this.columns().map((column) => this.header(column))));
    this.body.replaceChildren(...rows.slice(at * PER_PAGE, (at + 1) * PER_PAGE).map((row) => this.row(row)));
    this.drawCount(rows.length);
    this.drawChips();
    this.drawPager(at, nPages);
  }

  // The page of the table on which a trial stands.
  pageOf(trial) {
    const place = sorted(this.store.rows, this.store.sort).findIndex((row) => row.trial === trial);
    return place < 0 ? this.store.page : Math.floor(place / PER_PAGE);
  }

  header({ name, of }) {
    if (of === "picture") return element("th", { scope: "col" }, name);
    const { sort } = this.store;
    const isSorted = sort.name === name && sort.of === of;
    const order = isSorted ? (sort.isReversed ? "descending" : "ascending") : "none";
    const mark = isSorted ? (sort.isReversed ? " ▼" : " ▲") : "";
    const change = () => {
      this.store.change({ sort: { name, of, isReversed: isSorted && !sort.isReversed }, page: 0 });
      const buttons = [...this.head.querySelectorAll("button")];
      buttons.find((each) => each.dataset.name === name && each.dataset.of === of)?.focus();
    };
    const button = element("button", { type: "button", "data-name": name, "data-of": of, onclick: change }, name, mark);
    return element("th", { scope: "col", "aria-sort": order }, button);
  }

  row(row) {
    const isFocused = row.trial === this.store.focus;
    const choose = () => this.store.change({ focus: isFocused ? null : row.trial });
    const cells = this.columns().map((column) => cellOf(row, column, choose, isFocused));
    return element("tr", { class: `${row.state}${isFocused ? " focused" : ""}`, "data-trial": row.trial }, ...cells);
  }

  drawCount(n) {
    const { model, unknown } = this.store;
    const text = `${n.toLocaleString("en")} of ${model.rows.length.toLocaleString("en")} trials`;
    const problem = unknown.length ? `. No column is called ${unknown.join(", ")}` : "";
    this.count.textContent = `${text}${problem}.`;
  }

  drawChips() {
    const chips = [...this.store.brushes].map(([name, [low, high]]) => {
      const text = `${name}: ${low.toPrecision(3)} to ${high.toPrecision(3)} ✕`;
      const free = () => this.store.brush(name, null);
      return element("button", { type: "button", onclick: free, "aria-label": `Free ${name}` }, text);
    });
    this.chips.replaceChildren(...chips);
  }

  drawPager(at, nPages) {
    const to = (name, page) => {
      const go = () => {
        this.store.change({ page });
        [...this.pager.querySelectorAll("button")].find((each) => each.textContent === name && !each.disabled)?.focus();
      };
      return element("button", { type: "button", disabled: page < 0 || page >= nPages || page === at, onclick: go }, name);
    };
    const place = element("span", {}, `page ${at + 1} of ${nPages}`);
    const buttons = [to("First", 0), to("Previous", at - 1), place, to("Next", at + 1), to("Last", nPages - 1)];
    this.pager.replaceChildren(...(nPages > 1 ? buttons : []));
  }
}

function cellOf(row, { name, of }, choose, isFocused) {
  if (of === "own" && name === "trial") {
    const button = element("button", { type: "button", onclick: choose, "aria-pressed": String(isFocused) }, String(row.trial));
    return element("td", {}, button);
  }
  if (of === "own" && name === "rank") return element("td", { class: "number" }, row.state === "complete" && !row.reason ? String(row.rank) : "–");
  if (of === "picture") return element("td", {}, foldsOf(row));
  if (of === "metric") {
    return element("td", { class: "number" }, row.shown.get(name));
  }
  const value = valueOf(row, name, of);
  return element("td", { class: typeof value === "number" ? "number" : null }, textOf(value));
}

// Fold scores of a trial as small bars between its own lowest and highest.
function foldsOf(row) {
  const scores = row.folds.filter((score) => score !== null);
  if (scores.length < 2) return "–";
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const bars = scores.map((score, i) => {
    const height = high > low ? 3 + (11 * (score - low)) / (high - low) : 8;
    return shape("rect", { x: i * 6, y: 14 - height, width: 4, height, class: "fill-trial" });
  });
  const text = `folds: ${scores.join(", ")}`;
  return shape("svg", { width: scores.length * 6, height: 14, role: "img", "aria-label": text }, ...bars);
}

function sorted(rows, { name, of, isReversed }) {
  const sign = isReversed ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [valueOf(a, name, of), valueOf(b, name, of)];
    if (left === null || right === null) return (left === null) - (right === null) || a.trial - b.trial;
    const bothNumbers = typeof left === "number" && typeof right === "number";
    const order = bothNumbers ? left - right : textOf(left).localeCompare(textOf(right), "en", { numeric: true });
    return sign * order || a.trial - b.trial;
  });
}
