// Contours and slices over the axes that the reader has chosen.

import { share } from "./draw.js";

// As in `figures/contour.py`: cells along an axis, width of the kernel, and its reach.
const SIDE = 48;
const KERNEL = 0.07;
const FAR = 2;
const SAME = 1e-9;
const SMOOTHED = "Smoothed between trials; nothing is shown where no trial is near.";
const TILED = "Mean score of the trials with each pair of values.";
const STEPS = 8;

// The chart for a choice; the given one if nothing was chosen.
export function chosenChart(chart, model, choice) {
  if (!choice || !isKnown(model, choice)) return chart;
  if (chart.figure === "contour") return contourOf(chart, model, choice);
  return chart.figure === "slice" ? slicesOf(chart, model, choice) : chart;
}

function isKnown({ axes }, choice) {
  const names = { ...axes.params, ...axes.metrics };
  return Object.values(choice).every((name) => name === "" || Object.hasOwn(names, name));
}

// Selections of a figure: their name, their label, and the names among which to choose.
export function selections(chart, model) {
  const [params, metrics] = [Object.keys(model.axes.params), Object.keys(model.axes.metrics)];
  const colour = metrics.length > 1 ? [{ name: "metric", label: "colour", options: metrics }] : [];
  if (chart.figure === "contour" && params.length > 2) {
    return [{ name: "x", label: "across", options: params }, { name: "y", label: "up", options: params }, ...colour];
  }
  if (chart.figure === "contour") return colour;
  if (chart.figure !== "slice" || !params.length) return [];
  const one = { name: "x", label: "across", options: ["", ...params] };
  return [one, { name: "y", label: "up", options: [...metrics, ...params] }, ...colour];
}

// What a figure shows before anything was chosen.
export function firstChoice(chart, model) {
  const metric = model.metrics[0].name;
  if (chart.figure !== "contour") return { x: "", y: metric, metric };
  const panel = chart.panels[0];
  return { x: panel.x.label, y: panel.y.label, metric };
}

function contourOf(chart, model, { x, y, metric }) {
  const [across, up] = [model.axes.params[x], model.axes.params[y]];
  const rows = complete(model, [x, y], metric);
  const scale = model.axes.metrics[metric];
  const points = rows.map((row) => [share(across, row.places.get(x)), share(up, row.places.get(y))]);
  const means = surface(across, up, points, rows.map((row) => row.means.get(metric)));
  const cells = {
    mark: "cells",
    n_columns: cellsOf(across),
    n_rows: cellsOf(up),
    levels: means.map((mean) => (mean === null ? -1 : levelOf(mean, scale))),
  };
  const isTiled = [across, up].every((axis) => axis.scale === "category" || axis.values.length);
  const note = isTiled ? TILED : SMOOTHED;
  const dots = pointsOf(rows, x, (row) => row.places.get(y), { role: "band", label: "trials" });
  const panel = { kind: "panel", x: across, y: up, marks: [cells, dots, ...bestOf(rows, x, (row) => row.places.get(y), metric, scale)] };
  return { ...chart, panels: [panel], key: scale.directed, note: rows.length ? note : "No complete trial has both parameters." };
}

function slicesOf(chart, model, { x, y, metric }) {
  const params = x ? [x] : Object.keys(model.axes.params).filter((name) => name !== y);
  const known = new Map(chart.panels.map((panel) => [panel.x.label, panel]));
  const isUsual = y === model.metrics[0].name && metric === y;
  const panels = params.map((name) => (isUsual && known.get(name)) || sliceOf(model, { x: name, y, metric }));
  return { ...chart, panels, columns: Math.min(panels.length, 3), key: metric };
}

function sliceOf(model, { x, y, metric }) {
  const up = model.axes.metrics[y] ?? model.axes.params[y];
  const height = Object.hasOwn(model.axes.metrics, y) ? (row) => row.means.get(y) : (row) => row.places.get(y) ?? null;
  const scale = model.axes.metrics[metric];
  const rows = complete(model, [x], metric).filter((row) => height(row) !== null);
  const levels = rows.map((row) => levelOf(row.means.get(metric), scale));
  const marks = [{ ...pointsOf(rows, x, height, {}), levels }, ...bestOf(rows, x, height, metric, scale)];
  return { kind: "panel", x: model.axes.params[x], y: up, marks };
}

function complete(model, names, metric) {
  const has = (row) => names.every((name) => row.places.has(name)) && row.means.get(metric) !== null;
  return model.rows.filter((row) => row.state === "complete" && has(row));
}

function pointsOf(rows, x, height, more) {
  const places = { x: rows.map((row) => row.places.get(x)), y: rows.map(height) };
  return { mark: "points", ...places, trials: rows.map((row) => row.trial), ...more };
}

function bestOf(rows, x, height, metric, scale) {
  const able = rows.filter((row) => !row.reason);
  if (!able.length) return [];
  const best = able.reduce((a, b) => (scale.sign * b.means.get(metric) > scale.sign * a.means.get(metric) ? b : a));
  return [{ ...pointsOf([best], x, height, {}), role: "best", label: "best" }];
}

// 0 to 7, from the worst to the best.
function levelOf(mean, { sign, ends: [low, high] }) {
  const place = high > low ? (sign * mean - low) / (high - low) : 0.5;
  return Math.min(Math.max(Math.floor(place * STEPS), 0), STEPS - 1);
}

function cellsOf(axis) {
  return axis.scale === "category" ? Math.round(axis.high - axis.low) : SIDE;
}

// Kernel means at the centres of the cells, row by row from the top; null far from every trial.
function surface(across, up, points, scores) {
  const right = weights(across, points.map(([a]) => a));
  const down = weights(up, points.map(([, b]) => b)).reverse();
  const near = Math.exp(-(FAR ** 2) / 2);
  return down.flatMap((row) =>
    right.map((column) => {
      let [total, sum] = [0, 0];
      scores.forEach((score, i) => {
        total += row[i] * column[i];
        sum += row[i] * column[i] * score;
      });
      return total > near ? sum / total : null;
    }),
  );
}

function weights(axis, places) {
  const n = cellsOf(axis);
  const isCategory = axis.scale === "category";
  const listed = axis.values.map((value) => share(axis, value));
  if (listed.length) {
    // Each cell shows the listed value that is next to it: between two of them there is none.
    return Array.from({ length: n }, (_, i) => {
      const distances = listed.map((place) => Math.abs((i + 0.5) / n - place));
      const nearest = listed[distances.indexOf(Math.min(...distances))];
      return places.map((place) => Number(Math.abs(place - nearest) < SAME));
    });
  }
  return Array.from({ length: n }, (_, i) => {
    const centre = (i + 0.5) / n;
    const weight = (distance) => (isCategory ? Number(distance < 0.5 / n) : Math.exp(-0.5 * (distance / KERNEL) ** 2));
    return places.map((place) => weight(Math.abs(centre - place)));
  });
}
