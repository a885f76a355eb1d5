// A figure on the page: heading, legend, and panels that follow width and selection.

import { element, shape, showTip } from "./dom.js";
import { Frame, RUG, beyond, drawAxes, drawMark, path, triangle } from "./draw.js";
import { chosenChart, firstChoice, selections } from "./explore.js";
import { textOf } from "./model.js";
import { ParallelPanel } from "./parallel.js";

const REACH = 14;
const MAX_TIP = 8;
// Marks with a dot for each trial.
const DOTTED = new Set(["points", "rug"]);
const SAMPLE = 18;

export class Figure {
  constructor(given, store) {
    Object.assign(this, { given, store });
    const heading = `figure-${given.figure}`;
    this.body = element("div", {});
    this.element = element(
      "figure",
      { class: `card ${given.figure}`, "aria-labelledby": heading },
      element("h2", { id: heading }, given.title),
      this.choices(),
      this.body,
    );
    this.isDue = true;
    this.isSeen = false;
    this.sizes = new ResizeObserver(() => this.refresh());
    this.build();
    new IntersectionObserver(
      (entries) => {
        // Several changes may be told of at once: the last one holds.
        this.isSeen = entries.at(-1).isIntersecting;
        if (this.isSeen && this.isDue) this.draw();
      },
      { rootMargin: "400px" },
    ).observe(this.element);
  }

  // The chart for the axes that were chosen, with its own legend and panels.
  build() {
    const chart = chosenChart(this.given, this.store.model, this.store.choices.get(this.given.figure));
    this.chart = chart;
    this.canvas = chart.panels.map(() => element("div", { class: "canvas" }));
    const grid = element("div", { class: chart.columns > 1 ? "panels several" : "panels" }, ...this.canvas);
    this.body.replaceChildren(...[chart.note ? element("p", { class: "note" }, chart.note) : null, legendOf(chart), grid].filter(Boolean));
    this.sizes.disconnect();
    this.sizes.observe(grid);
  }

  choices() {
    const { given, store } = this;
    const listed = given.panels.length ? selections(given, store.model) : [];
    if (!listed.length) return null;
    const first = firstChoice(given, store.model);
    const now = { ...first, ...store.choices.get(given.figure) };
    const fields = listed.map(({ name, label, options }) => {
      const made = options.map((each) => element("option", { value: each, selected: each === now[name] }, each || "all parameters"));
      const id = `${given.figure}-${name}`;
      const select = element("select", { id, onchange: (event) => this.choose(name, event.target.value) }, ...made);
      return element("span", {}, element("label", { for: id }, label), select);
    });
    return element("p", { class: "choices" }, ...fields);
  }

  choose(name, value) {
    const { given, store } = this;
    const before = { ...firstChoice(given, store.model), ...store.choices.get(given.figure) };
    const choice = { ...before, [name]: value };
    // One parameter on both axes shows nothing: the axes change places.
    if (given.figure === "contour" && choice.x === choice.y) choice[name === "x" ? "y" : "x"] = before[name];
    store.choices.set(given.figure, choice);
    for (const key of ["x", "y"]) {
      const field = document.getElementById(`${given.figure}-${key}`);
      if (field) field.value = choice[key];
    }
    this.build();
    this.draw();
  }

  // Figures out of sight are drawn when the reader comes to them, or when there is time.
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
    const full = this.height + 52 + RUG * this.frame.rugs.length;
    const box = `0 0 ${width} ${full}`;
    this.ring = shape("circle", { class: "ring", r: 7, visibility: "hidden" });
    this.element = shape(
      "svg",
      { viewBox: box, width, height: full, role: "img", "aria-label": `${chart.description} ${panel.x.label}` },
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
      for (const [i, trial] of (DOTTED.has(mark.mark) ? (mark.trials ?? []) : []).entries()) {
        const [x, y] = this.frame.placeOf(mark, i) ?? [Infinity, Infinity];
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
      const place = DOTTED.has(mark.mark) ? this.frame.placeOf(mark, (mark.trials ?? []).indexOf(trial)) : null;
      if (!place || !(mark.trials ?? []).includes(trial)) continue;
      const [x, y] = place;
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
  const scores = model.metrics.map(({ name }) => `${name}: ${row.shown.get(name)}`);
  const params = [...row.params].slice(0, MAX_TIP).map(([name, value]) => `${name} = ${textOf(value)}`);
  const more = row.params.size > MAX_TIP ? ["…"] : [];
  return [`trial ${number}`, ...(row.reason ? [row.reason] : scores), ...params, ...more];
}

function legendOf(chart) {
  const listed = new Map();
  for (const mark of chart.panels.flatMap((panel) => panel.marks ?? [])) {
    // Rows below a panel have their label beside them.
    if (mark.label && mark.mark !== "rug" && !listed.has(mark.label)) listed.set(mark.label, sample(mark));
  }
  const entries = [...listed].map(([text, picture]) => entry(text, picture));
  if (chart.panels.some(hasBeyond)) entries.push(entry("beyond the scale", clippedSample()));
  if (chart.key) entries.push(entry(`worse to better ${chart.key}`, ramp()));
  return entries.length ? element("p", { class: "legend" }, ...entries) : null;
}

function roleOf(mark) {
  return mark.mark === "line" ? "best" : mark.mark === "points" ? "trial" : "band";
}

function entry(text, picture) {
  return element("span", {}, picture, text);
}

// A small picture of a mark, in the form that it has in the panel.
function sample(mark) {
  const role = mark.role ?? roleOf(mark);
  const drawn = {
    line: () => path(`M0 6.5h${SAMPLE}`, `line${mark.is_dashed ? " dashed" : ""} ${role}`),
    points: () => (role === "failed" ? path("M5.5 3l7 7m0 -7l-7 7", "cross failed") : path("M9 6.5h0", `dots ${role === "best" ? "large " : ""}${role}`)),
  };
  const picture = (drawn[mark.mark] ?? (() => path(`M0 2.5h${SAMPLE}v8h-${SAMPLE}z`, "area")))();
  return shape("svg", { width: SAMPLE, height: 13, "aria-hidden": "true" }, picture);
}

function hasBeyond(panel) {
  const isOut = (mark) => mark.mark === "points" && mark.x.some((x, i) => x !== null && mark.y[i] !== null && beyond(panel.y, mark.y[i]));
  return (panel.marks ?? []).some(isOut);
}

function clippedSample() {
  return shape("svg", { width: 13, height: 13, "aria-hidden": "true" }, path(triangle(6.5, 10, -1), "cross trial"));
}

function ramp() {
  const steps = [0, 1, 2, 3, 4, 5, 6, 7].map((level) => path(`M${level * 9} 2h9v9h-9z`, `cell-${level}`));
  return shape("svg", { width: 72, height: 13, "aria-hidden": "true" }, ...steps);
}
