// The page: head, figures, table and provenance from the data in it, or from the server's news.

import { element } from "./dom.js";
import { Figure } from "./charts.js";
import { Details } from "./details.js";
import { modelOf } from "./model.js";
import { Server } from "./server.js";
import { Store } from "./store.js";
import { Studies } from "./studies.js";
import { Table } from "./table.js";

const FIRST = ["history", "parallel"];
const app = document.getElementById("app");
const isLive = document.body.dataset.mode === "live";

const given = JSON.parse(document.getElementById("data").textContent);
const store = new Store(modelOf(given));
const server = isLive ? new Server(given.studies) : null;
const studies = isLive ? new Studies(server, chooseStudy) : null;
const details = new Details(store, server);
const table = new Table(store);
const status = element("span", { class: "live", role: "status" });
let figures = [];
let focused = null;

store.listen(() => {
  if (store.focus !== focused) {
    focused = store.focus;
    if (focused !== null) store.page = table.pageOf(focused);
  }
  table.draw();
  details.draw();
  for (const figure of figures) figure.refresh();
});

function show() {
  const { model } = store;
  if (model.waiting) {
    figures = [];
    app.replaceChildren(header(model), element("main", {}, element("p", { class: "card waiting" }, model.waiting)));
    return;
  }
  figures = model.figures.map((chart) => new Figure(chart, store));
  const isFirst = (figure) => FIRST.includes(figure.chart.figure);
  app.replaceChildren(
    header(model),
    element(
      "main",
      {},
      summaryOf(model),
      failuresOf(model),
      ...figures.filter(isFirst).map((figure) => figure.element),
      table.element,
      element("div", { class: "pair" }, ...figures.filter((figure) => !isFirst(figure)).map((figure) => figure.element)),
      origin(model),
    ),
    details.element,
  );
  table.draw();
  details.draw();
  atLeisure(drawTheRest);
}

function header(model) {
  const toggle = element("button", { type: "button", class: "theme", onclick: changeTheme }, "Light or dark");
  return element(
    "header",
    {},
    element("div", { class: "bar" }, element("p", { class: "brand" }, "Tunesmith report"), status, toggle),
    ...(studies ? [studies.element] : []),
    element("h1", {}, model.study),
    ...model.verdict.slice(0, 1).map((text) => element("p", { class: "verdict" }, text)),
    ...(model.next ? [element("p", { class: "verdict more" }, model.next)] : []),
    element("dl", { class: "tiles" }, ...model.tiles.map(tile)),
  );
}

function tile({ what, value, remark }) {
  const isText = Number.isNaN(Number(value.replaceAll(",", "")));
  return element("div", {}, element("dt", {}, what), element("dd", { class: isText ? "words" : "" }, value), element("dd", { class: "note" }, remark));
}

function summaryOf(model) {
  const notes = model.notes.map((text) => element("li", {}, text));
  const { header: names, rows } = model.best;
  const best = card("best-heading", names.length > 2 ? "Parameters" : "Best parameters", rows.length ? grid(names, rows) : element("p", { class: "note" }, "No trial is complete."));
  const grounds = model.verdict.slice(1).map((text) => element("li", {}, text));
  const sure = card("sure-heading", "How sure this is", element("ul", {}, ...grounds));
  const known = card("notes-heading", "Worth knowing", element("ul", {}, ...notes));
  return element("div", { class: "pair grounds" }, best, notes.length ? known : null, grounds.length ? sure : null);
}

function failuresOf(model) {
  const texts = model.failures.map(({ trials, reason, text }) =>
    element("details", {}, element("summary", {}, `${trials}: ${reason}`), element("pre", { class: "scroll" }, text)),
  );
  return texts.length ? card("failures-heading", "Failures", ...texts) : null;
}

function card(id, title, ...children) {
  return element("section", { class: "card", "aria-labelledby": id }, element("h2", { id }, title), ...children);
}

function grid(names, rows) {
  const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map(([name, ...values]) => element("tr", {}, element("th", { scope: "row" }, name), ...values.map((value) => element("td", {}, value))));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": names[0] ?? "" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

function origin(model) {
  return element(
    "div",
    { class: "pair" },
    card("space-heading", "Search space", grid(["parameter", "range"], model.space)),
    card("origin-heading", "Reproduce", element("p", {}, model.again), grid(["what", "value"], model.provenance)),
  );
}

function changeTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
}

// New data redraw the page; what the reader has chosen, and where they are, stays.
function renew(content) {
  const [active, top] = [document.activeElement?.id, scrollY];
  store.setModel(modelOf(content));
  show();
  scrollTo(0, top);
  if (active) document.getElementById(active)?.focus();
}

async function chooseStudy(place) {
  server.choose(place);
  try {
    const content = await server.content();
    if (content) {
      Object.assign(store, { text: "", brushes: new Map(), page: 0, focus: null, choices: new Map() });
      table.field.value = "";
      renew(content);
    }
  } catch {
    status.textContent = "no connection";
  }
  studies.draw();
}

// What prints the page, or takes a picture of all of it, never scrolls.
const atLeisure = window.requestIdleCallback ?? ((call) => setTimeout(call, 50));

function drawTheRest() {
  const due = figures.find((figure) => figure.isDue);
  if (!due) return;
  due.draw();
  atLeisure(drawTheRest);
}

addEventListener("beforeprint", () => {
  for (const figure of figures) figure.draw();
});

show();
if (isLive) {
  status.textContent = "live";
  studies.draw();
  if (server.current > 0) chooseStudy(server.current);
  server.follow(renew, (isThere) => {
    status.textContent = isThere ? "live" : "no connection";
    studies.draw();
  });
}
