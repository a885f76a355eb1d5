// A figure on the page: heading, legend, and panels that follow width and selection.

import { element, shape, showTip } from "./dom.js";
import { Frame, drawAxes, drawMark, path } from "./draw.js";
import { scoreText, textOf } from "./model.js";
import { ParallelPanel } from "./parallel.js";

const REACH = 14;
const MAX_TIP = 8;

export class Figure {
  constructor(chart, store) {
    Object.assign(this, { chart, store });
    this.canvas = chart.panels.map(() => element("div", { class: "canvas" }));
    const grid = element("div", { class: chart.columns > 1 ? "panels several" : "panels" }, ...this.canvas);
    const heading = `figure-${chart.figure}`;
    this.element = element(
      "figure",
      { class: `card ${chart.figure}`, "aria-labelledby": heading },
      element("h2", { id: heading }, chart.title),
      chart.note ? element("p", { class: "note" }, chart.note) : null,
      legendOf(chart),
      grid,
    );
    this.isDue = true;
    this.isSeen = false;
    new ResizeObserver(() => this.refresh()).observe(grid);
    new IntersectionObserver(
      ([entry]) => {
        this.isSeen = entry.isIntersecting;
        if (this.isSeen && this.isDue) this.draw();
      },
      { rootMargin: "400px" },
    ).observe(this.element);
  }

  // Figures out of sight are drawn when the reader comes to them.
  refresh() {
    this.isDue = true;
    if (this.isSeen) this.draw();
  }

  draw() {
    this.isDue = false;
    this.chart.panels.forEach((panel, i) => {
      const place = this.canvas[i];
      const width = place.clientWidth;
      if (!width) return;
      const Kind = panel.kind === "parallel" ? ParallelPanel : PlainPanel;
      place.replaceChildren(new Kind(panel, this.chart, this.store, width).element);
    });
  }
}

class PlainPanel {
  constructor(panel, chart, store, width) {
    Object.assign(this, { panel, store });
    this.height = heightOf(panel, chart);
    this.frame = new Frame(panel, width, this.height);
    const isOn = (trial) => trial === undefined || store.selected.has(trial);
    const isTiled = panel.marks.some((mark) => mark.mark === "cells");
    const marks = panel.marks.flatMap((mark) => drawMark(this.frame, mark, isOn));
    const box = `0 0 ${width} ${this.height + 52}`;
    this.ring = shape("circle", { class: "ring", r: 7, visibility: "hidden" });
    this.element = shape(
      "svg",
      { viewBox: box, width, height: this.height + 52, role: "img", "aria-label": `${chart.description} ${panel.x.label}` },
      ...[...drawAxes(this.frame, !isTiled), ...marks, this.ring].filter(Boolean),
    );
    this.element.addEventListener("pointermove", (event) => this.point(event));
    this.element.addEventListener("pointerleave", () => showTip(null));
    this.element.addEventListener("click", (event) => this.choose(event));
    this.mark(store.focus);
  }

  // The nearest dot of a trial within reach of the pointer.
  nearest(event) {
    const { left, top } = this.element.getBoundingClientRect();
    const [px, py] = [event.clientX - left, event.clientY - top];
    let found = null;
    let nearest = REACH ** 2;
    for (const mark of this.panel.marks) {
      for (const [i, trial] of (mark.mark === "points" ? (mark.trials ?? []) : []).entries()) {
        if (mark.x[i] === null) continue;
        const [x, y] = this.frame.at(mark.x[i], mark.y[i]);
        const distance = (x - px) ** 2 + (y - py) ** 2;
        if (distance < nearest) [found, nearest] = [trial, distance];
      }
    }
    return found;
  }

  point(event) {
    const trial = this.nearest(event);
    showTip(trial === null ? this.cellText(event) : linesOf(this.store.model, trial), event);
  }

  choose(event) {
    const focus = this.nearest(event);
    if (focus !== null) this.store.change({ focus });
  }

  cellText(event) {
    const mark = this.panel.marks.find((each) => each.mark === "cells" && each.texts);
    if (!mark) return null;
    const { left, top } = this.element.getBoundingClientRect();
    const column = Math.floor(((event.clientX - left - this.frame.left) / this.frame.width) * mark.n_columns);
    const row = Math.floor(((event.clientY - top - this.frame.top) / this.frame.height) * mark.n_rows);
    const isInside = column >= 0 && row >= 0 && column < mark.n_columns && row < mark.n_rows;
    return isInside ? [mark.texts[row * mark.n_columns + column]] : null;
  }

  mark(trial) {
    for (const mark of trial === null ? [] : this.panel.marks) {
      const i = mark.mark === "points" ? (mark.trials ?? []).indexOf(trial) : -1;
      if (i < 0) continue;
      const [x, y] = this.frame.at(mark.x[i], mark.y[i]);
      for (const [name, value] of [["cx", x], ["cy", y], ["visibility", "visible"]]) this.ring.setAttribute(name, value);
    }
  }
}

function heightOf(panel, chart) {
  if (panel.y.scale === "category") return Math.min(Math.max(18 * Math.round(panel.y.high - panel.y.low), 60), 600);
  return chart.columns > 1 ? 190 : 300;
}

// What is said of a trial beside the pointer.
export function linesOf(model, number) {
  const row = model.byNumber.get(number);
  if (!row) return null;
  const scores = model.metrics.map(({ name }) => `${name}: ${scoreText(row.means.get(name), row.errors.get(name))}`);
  const params = [...row.params].slice(0, MAX_TIP).map(([name, value]) => `${name} = ${textOf(value)}`);
  const more = row.params.size > MAX_TIP ? ["…"] : [];
  return [`trial ${number}`, ...(row.reason ? [row.reason] : scores), ...params, ...more];
}

function legendOf(chart) {
  const listed = new Map();
  for (const mark of chart.panels.flatMap((panel) => panel.marks ?? [])) {
    if (mark.label && !listed.has(mark.label)) listed.set(mark.label, mark.role ?? roleOf(mark));
  }
  const entries = [...listed].map(([text, role]) => entry(text, sample(role)));
  if (chart.key) entries.push(entry(`worse to better ${chart.key}`, ramp()));
  return entries.length ? element("p", { class: "legend" }, ...entries) : null;
}

function roleOf(mark) {
  return mark.mark === "line" ? "best" : mark.mark === "points" ? "trial" : "band";
}

function entry(text, picture) {
  return element("span", {}, picture, text);
}

function sample(role) {
  const mark = role === "failed" ? path("M3 3l7 7m0 -7l-7 7", "cross failed") : path("M6.5 6.5h0", `dots large ${role}`);
  return shape("svg", { width: 13, height: 13, "aria-hidden": "true" }, mark);
}

function ramp() {
  const steps = [0, 1, 2, 3, 4, 5, 6, 7].map((level) => path(`M${level * 9} 2h9v9h-9z`, `cell-${level}`));
  return shape("svg", { width: 72, height: 13, "aria-hidden": "true" }, ...steps);
}
