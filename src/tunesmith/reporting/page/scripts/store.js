// What the reader has chosen, kept when new data come; and who wants to know of it.

import { filterOf } from "./filter.js";

export class Store {
  constructor(model) {
    this.text = "";
    this.brushes = new Map(); // axis label -> [low, high] on that axis
    this.sort = { name: "rank", of: "own", isReversed: false };
    this.page = 0;
    this.focus = null;
    this.choices = new Map(); // figure -> the axes that were chosen
    this.listeners = [];
    this.setModel(model);
  }

  setModel(model) {
    this.model = model;
    this.update();
  }

  listen(listener) {
    this.listeners.push(listener);
  }

  change(changes) {
    Object.assign(this, changes);
    this.update();
    for (const listener of this.listeners) listener(this);
  }

  brush(label, range) {
    const brushes = new Map(this.brushes);
    if (range) brushes.set(label, range);
    else brushes.delete(label);
    this.change({ brushes, page: 0 });
  }

  update() {
    const names = [...this.model.params, ...this.model.metrics.map((metric) => metric.name)];
    const { test, unknown } = filterOf(this.text, names);
    this.unknown = unknown;
    const brushed = this.brushedTrials();
    this.rows = this.model.rows.filter((row) => test(row) && (!brushed || brushed.has(row.trial)));
    this.selected = new Set(this.rows.map((row) => row.trial));
    this.isFiltered = this.rows.length < this.model.rows.length;
  }

  // Trials within every brush; all where there is none.
  brushedTrials() {
    const panel = this.model.figures.find((each) => each.figure === "parallel")?.panels[0];
    if (!panel || !this.brushes.size) return null;
    const ranges = panel.axes.map((axis) => this.brushes.get(axis.label));
    const isWithin = (i) => ranges.every((range, k) => !range || within(panel.columns[k][i], range));
    return new Set(panel.trials.filter((_, i) => isWithin(i)));
  }
}

function within(value, [low, high]) {
  return value !== null && low <= value && value <= high;
}
