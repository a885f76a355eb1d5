// The page: head, figures, table and provenance from the data in it, or from the server's news.

import { element } from "./dom.js";
import { Figure } from "./charts.js";
import { modelOf } from "./model.js";
import { Store } from "./store.js";
import { Table } from "./table.js";

const POLL_MS = 2000;
const FIRST = ["history", "parallel"];
const app = document.getElementById("app");
const isLive = document.body.dataset.mode === "live";

const store = new Store(modelOf(JSON.parse(document.getElementById("data").textContent)));
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
  for (const figure of figures) figure.refresh();
});

function show() {
  const { model } = store;
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
  );
  table.draw();
}

function header(model) {
  const toggle = element("button", { type: "button", class: "theme", onclick: changeTheme }, "Light or dark");
  return element(
    "header",
    {},
    element("div", { class: "bar" }, element("p", { class: "brand" }, "Tunesmith report"), status, toggle),
    element("h1", {}, model.study),
    ...model.verdict.map((text, i) => element("p", { class: i ? "verdict more" : "verdict" }, text)),
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
  const best = card("best-heading", "Best parameters", rows.length ? grid(names, rows) : element("p", { class: "note" }, "No trial is complete."));
  const known = card("notes-heading", "Worth knowing", element("ul", {}, ...notes));
  return element("div", { class: "pair" }, best, notes.length ? known : null);
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
async function poll() {
  let tag = null;
  for (;;) {
    await new Promise((done) => setTimeout(done, POLL_MS));
    try {
      const answer = await fetch("data.json", { cache: "no-cache" });
      if (!answer.ok) throw new Error(String(answer.status));
      if (answer.headers.get("ETag") !== tag) {
        if (tag !== null) renew(await answer.json());
        tag = answer.headers.get("ETag");
      }
      status.textContent = "live";
    } catch {
      status.textContent = "no connection";
    }
  }
}

function renew(content) {
  const [active, top] = [document.activeElement?.id, scrollY];
  store.setModel(modelOf(content));
  show();
  scrollTo(0, top);
  if (active) document.getElementById(active)?.focus();
}

addEventListener("beforeprint", () => {
  for (const figure of figures) figure.draw();
});

show();
if (isLive) {
  status.textContent = "live";
  poll();
}
