// Parallel coordinates. Dragging along an axis keeps the trials within; a click on it frees it.

import { shape } from "./dom.js";
import { LETTER, MANY, fixed, label, path, share, shortened, valueAt } from "./draw.js";

const HEIGHT = 300;
// Height of a row of names above the axes.
const NAME = 18;
const BELOW = 16;
const GRIP = 22;
const MIN_DRAG = 5;
const MIN_ROOM = 64;

export class ParallelPanel {
  constructor(panel, chart, store, width) {
    // On narrow screens the chart is scrolled, not squeezed.
    const full = Math.max(width, panel.axes.length * MIN_ROOM);
    Object.assign(this, { panel, store });
    const [left, across] = [50, full - 110];
    this.x = panel.axes.map((_, i) => left + (panel.axes.length > 1 ? (across * i) / (panel.axes.length - 1) : 0));
    this.room = full / panel.axes.length;
    this.full = full;
    // Names above, so that the ends of lines and axes below are free; in two rows if they need it.
    this.rows = panel.axes.some((axis) => axis.label.length * LETTER + 8 > this.room) ? 2 : 1;
    this.top = NAME * this.rows + 8;
    const height = this.top + HEIGHT + BELOW + 12;
    const axes = panel.axes.map((axis, i) => this.drawAxis(axis, i));
    const facts = { viewBox: `0 0 ${full} ${height}`, width: full, height, role: "group", "aria-label": chart.description };
    this.element = shape("svg", facts, ...this.lines(), ...axes);
  }

  y(axis, value) {
    return this.top + (value === null ? HEIGHT + BELOW : HEIGHT * (1 - share(axis, value)));
  }

  lines() {
    const { axes, columns, trials, levels } = this.panel;
    const groups = new Map();
    trials.forEach((trial, row) => {
      const points = axes.map((axis, i) => `${fixed(this.x[i])} ${fixed(this.y(axis, columns[i][row]))}`);
      const name = this.store.selected.has(trial) ? levels[row] : -1;
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(`M${points.join("L")}`);
    });
    const many = trials.length > MANY ? " many" : "";
    const ordered = [...groups].sort((a, b) => a[0] - b[0]);
    const made = ordered.map(([level, d]) => path(d.join(""), level < 0 ? `line thin${many} off band` : `line thin${many} level-${level}`));
    return [...made, this.focusLine()].filter(Boolean);
  }

  focusLine() {
    const row = this.panel.trials.indexOf(this.store.focus);
    if (row < 0) return null;
    const points = this.panel.axes.map((axis, i) => `${fixed(this.x[i])} ${fixed(this.y(axis, this.panel.columns[i][row]))}`);
    return path(`M${points.join("L")}`, "line best");
  }

  drawAxis(axis, i) {
    const x = this.x[i];
    const ticks = axis.ticks.map(([value, text]) =>
      label(x + 5, this.y(axis, value) + 4, shortened(text, Math.max(this.room - 8, 5 * LETTER)), { class: "halo" }),
    );
    if (this.panel.columns[i].includes(null)) ticks.push(label(x + 5, this.top + HEIGHT + BELOW + 4, "not set", { class: "halo" }));
    const above = NAME * (i % this.rows) + 12;
    const range = this.store.brushes.get(axis.label);
    const name = shortened(axis.label, this.rows * this.room - 8);
    const half = (name.length * LETTER) / 2;
    const middle = Math.min(Math.max(x, half), this.full - half);
    const grip = shape("rect", { class: "grip", x: x - GRIP / 2, y: this.top - 6, width: GRIP, height: HEIGHT + 12 });
    const brush = shape("rect", { class: "brush", x: x - 7, width: 14, ...this.extent(axis, range) });
    grip.addEventListener("pointerdown", (event) => this.drag(event, axis, brush));
    return shape(
      "g",
      { class: "upright-axis", "data-axis": axis.label },
      path(`M${fixed(x)} ${above + 4}V${this.top}`, "axis"),
      path(`M${fixed(x)} ${this.top}v${HEIGHT}`, "axis upright"),
      ...ticks,
      label(middle, above, name, { class: range ? "middle label chosen" : "middle label" }),
      brush,
      grip,
    );
  }

  extent(axis, range) {
    if (!range) return { y: this.top, height: 0 };
    const [bottom, top] = range.map((value) => this.y(axis, value));
    return { y: fixed(top), height: Math.max(fixed(bottom - top), 2) };
  }

  drag(event, axis, brush) {
    event.preventDefault();
    const grip = event.target;
    const begin = this.place(event);
    let range = null;
    const move = (moved) => {
      const ends = [begin, this.place(moved)].sort((a, b) => a - b);
      range = (ends[1] - ends[0]) * HEIGHT < MIN_DRAG ? null : ends.map((end) => valueAt(axis, end));
      for (const [name, value] of Object.entries(this.extent(axis, range))) brush.setAttribute(name, value);
    };
    const end = () => {
      grip.removeEventListener("pointermove", move);
      this.store.brush(axis.label, range);
    };
    grip.setPointerCapture(event.pointerId);
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", end, { once: true });
    grip.addEventListener("pointercancel", end, { once: true });
  }

  // Where the pointer is along the axis, 0 to 1.
  place(event) {
    const top = this.element.getBoundingClientRect().top;
    return Math.min(Math.max(1 - (event.clientY - top - this.top) / HEIGHT, 0), 1);
  }
}
