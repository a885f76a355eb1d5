// Axes and marks as SVG. A chart's numbers and ticks are given; here they get their pixels.

import { shape } from "./dom.js";

export const LETTER = 6.6;
// Room for a letter where a cut would hide it: names with many wide ones are wider than the mean.
const WIDE = 7.4;
const N_LEVELS = 8;
export const MANY = 400;
// Height of a row of trials below a panel.
export const RUG = 15;

// 0 at the low end of an axis, 1 at its high end, never beyond.
export function share(axis, value) {
  const isLog = axis.scale === "log";
  const [low, high] = isLog ? [Math.log(axis.low), Math.log(axis.high)] : [axis.low, axis.high];
  const found = isLog ? Math.log(Math.max(value, axis.low)) : value;
  return Math.min(Math.max((found - low) / (high - low), 0), 1);
}

// -1 below the low end of an axis, 1 above its high end, 0 on it.
export function beyond(axis, value) {
  const slack = (axis.high - axis.low) * 1e-6;
  return value < axis.low - slack ? -1 : value > axis.high + slack ? 1 : 0;
}

// The value at a share of an axis.
export function valueAt(axis, place) {
  if (axis.scale !== "log") return axis.low + place * (axis.high - axis.low);
  return Math.exp(Math.log(axis.low) + place * (Math.log(axis.high) - Math.log(axis.low)));
}

export function shortened(text, room) {
  const n = Math.max(Math.floor(room / LETTER), 4);
  return text.length <= n ? text : `${text.slice(0, n - 1)}…`;
}

export function label(x, y, text, attributes = {}) {
  return shape("text", { x: fixed(x), y: fixed(y), ...attributes }, text);
}

export function path(d, name) {
  return d ? shape("path", { d, class: name }) : null;
}

export const fixed = (number) => Math.round(number * 10) / 10;

// The rectangle between a panel's axes.
export class Frame {
  constructor(panel, width, height) {
    const rugs = panel.marks.filter((mark) => mark.mark === "rug");
    const names = [...panel.y.ticks.map(([, text]) => text), ...rugs.map((mark) => mark.label)];
    const letters = Math.max(...names.map((text) => text.length), 1);
    const room = Math.min(letters * WIDE + 14 + (panel.y.label ? 18 : 0), width * 0.4);
    Object.assign(this, { left: room, top: 8, x: panel.x, y: panel.y });
    this.width = width - room - 16;
    this.height = height;
    this.rugs = rugs;
  }

  // Pixel of the i-th trial of points or of a row below; null if it has none.
  placeOf(mark, i) {
    if (mark.x[i] === null) return null;
    if (mark.mark === "rug") return [this.at(mark.x[i], this.y.low)[0], this.rugAt(mark)];
    return mark.y[i] === null ? null : this.at(mark.x[i], mark.y[i]);
  }

  rugAt(mark) {
    return this.top + this.height + RUG * (this.rugs.indexOf(mark) + 0.5) + 3;
  }

  at(x, y) {
    return [
      this.left + this.width * share(this.x, x),
      this.top + this.height * (1 - share(this.y, y)),
    ];
  }
}

export function drawAxes(frame, isLined) {
  const { left, top, width, height, x, y } = frame;
  const below = top + height + RUG * frame.rugs.length;
  const made = [];
  let end = -Infinity;
  for (const [value, text] of x.ticks) {
    const at = left + width * share(x, value);
    const half = (text.length * LETTER + 6) / 2;
    if (at - half < end) continue;
    end = at + half;
    if (isLined && x.scale !== "category") made.push(path(`M${fixed(at)} ${top}v${height}`, "grid"));
    made.push(label(at, below + 16, shortened(text, width), { class: "middle" }));
  }
  for (const [value, text] of y.ticks) {
    const at = top + height * (1 - share(y, value));
    if (isLined && y.scale !== "category") made.push(path(`M${left} ${fixed(at)}h${width}`, "grid"));
    made.push(label(left - 6, at + 4, shortened(text, left - (y.label ? 24 : 6)), { class: "end" }));
  }
  made.push(path(`M${left} ${top}v${height}h${width}`, "axis"));
  made.push(label(left + width / 2, below + 34, shortened(x.label, width), { class: "middle label" }));
  const turn = `rotate(-90 12 ${fixed(top + height / 2)})`;
  const name = { class: "middle label", transform: turn };
  if (y.label) made.push(label(12, top + height / 2, shortened(y.label, height), name));
  return made;
}

// One path a colour: what is not selected first and faint, then from worst to best.
const DRAWN = {
  points(frame, mark, isOn) {
    const groups = new Map();
    const role = mark.role ?? "trial";
    const base = role === "failed" ? "cross" : "dots";
    const size = role === "best" ? " large" : mark.x.length > MANY ? " small" : "";
    mark.x.forEach((value, i) => {
      if (value === null || mark.y[i] === null) return;
      const on = isOn(mark.trials?.[i]);
      const colour = mark.levels ? `level-${mark.levels[i]}` : role;
      const out = beyond(frame.y, mark.y[i]);
      const form = out ? "cross" : `${base}${size}`;
      const name = `${form} ${on ? colour : `off ${role === "failed" ? "failed" : "band"}`}`;
      const [x, y] = frame.at(value, mark.y[i]);
      const dot = out ? triangle(x, y, out) : base === "cross" ? crossAt(x, y) : `M${fixed(x)} ${fixed(y)}h0`;
      groups.set(name, (groups.get(name) ?? "") + dot);
    });
    return inOrder(groups);
  },

  line(frame, mark, isOn) {
    const on = mark.trial === undefined || isOn(mark.trial);
    const colour = mark.level === undefined ? (mark.role ?? "best") : `level-${mark.level}`;
    const thin = mark.trial !== undefined && mark.role !== "best" ? " thin" : "";
    const dashed = mark.is_dashed ? " dashed" : "";
    return [path(lineOf(frame, mark), `line${thin}${dashed} ${on ? colour : "off band"}`)];
  },

  band(frame, mark) {
    const upper = mark.x.map((x, i) => frame.at(x, mark.high[i]).map(fixed).join(" "));
    const lower = mark.x.map((x, i) => frame.at(x, mark.low[i]).map(fixed).join(" "));
    return [path(`M${[...upper, ...lower.reverse()].join("L")}Z`, "area")];
  },

  bars(frame, mark) {
    const step = frame.height / mark.values.length;
    const thick = Math.min(step * 0.66, 22);
    return mark.values.flatMap((value, row) => {
      const y = frame.top + step * (row + 0.5);
      const length = fixed(frame.width * share(frame.x, value));
      const across = `h${length}v${fixed(thick)}h${-length}z`;
      const reach = fixed(frame.width * share(frame.x, mark.intervals?.[row][1] ?? value));
      return [
        path(`M${frame.left} ${fixed(y - thick / 2)}${across}`, "fill-trial"),
        mark.intervals && path(whisker(frame, mark.intervals[row], y), "line best"),
        mark.texts && label(frame.left + reach + 6, y + 4, mark.texts[row]),
      ];
    });
  },

  rug(frame, mark, isOn) {
    const groups = new Map();
    const role = mark.role ?? "band";
    const isFailed = role === "failed";
    mark.x.forEach((value, i) => {
      if (value === null) return;
      const [x, y] = frame.placeOf(mark, i);
      const name = `${isFailed ? "cross" : "dots"} ${isOn(mark.trials?.[i]) ? "" : "off "}${role}`;
      groups.set(name, (groups.get(name) ?? "") + (isFailed ? crossAt(x, y) : `M${fixed(x)} ${fixed(y)}h0`));
    });
    return [...inOrder(groups), label(frame.left - 6, frame.rugAt(mark) + 4, mark.label, { class: "end" })];
  },

  cells(frame, mark) {
    const [across, down] = [frame.width / mark.n_columns, frame.height / mark.n_rows];
    const groups = new Map();
    mark.levels.forEach((level, i) => {
      if (level < 0) return;
      const x = frame.left + (i % mark.n_columns) * across;
      const y = frame.top + Math.floor(i / mark.n_columns) * down;
      const cell = `M${fixed(x)} ${fixed(y)}h${fixed(across + 0.4)}v${fixed(down + 0.4)}h${-fixed(across + 0.4)}z`;
      groups.set(`cell-${level}`, (groups.get(`cell-${level}`) ?? "") + cell);
    });
    return inOrder(groups);
  },
};

export function drawMark(frame, mark, isOn) {
  return DRAWN[mark.mark](frame, mark, isOn);
}

function inOrder(groups) {
  const place = (name) => (name.includes("off ") ? -1 : N_LEVELS + (name.match(/level-(\d)/)?.[1] ?? 0) * 1);
  return [...groups].sort((a, b) => place(a[0]) - place(b[0])).map(([name, d]) => path(d, name));
}

// Points at what lies beyond the scale, from its end.
export function triangle(x, y, side) {
  return `M${fixed(x - 4)} ${fixed(y + side * 6)}l8 0l-4 ${-6 * side}z`;
}

function crossAt(x, y) {
  return `M${fixed(x - 3.5)} ${fixed(y - 3.5)}l7 7m0 -7l-7 7`;
}

function lineOf(frame, mark) {
  let d = "";
  mark.x.forEach((value, i) => {
    const [x, y] = frame.at(value, mark.y[i]).map(fixed);
    if (!d) d = `M${x} ${y}`;
    else d += mark.is_stepped ? `H${x}V${y}` : `L${x} ${y}`;
  });
  return d;
}

function whisker(frame, ends, y) {
  const [low, high] = ends.map((end) => fixed(frame.left + frame.width * share(frame.x, end)));
  return `M${low} ${fixed(y)}H${high}`;
}
