// Everything about the trial that was chosen, in a drawer at the side.

import { element } from "./dom.js";
import { textOf } from "./model.js";

export class Details {
  // `server` asks a live page's server; a file has none.
  constructor(store, server) {
    Object.assign(this, { store, server });
    this.shown = null;
    this.draft = "";
    this.element = element("aside", { class: "drawer", hidden: true, "aria-label": "Trial" });
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && store.focus !== null) store.change({ focus: null });
    });
  }

  draw() {
    const { focus, model } = this.store;
    const row = focus === null ? null : model.byNumber.get(focus);
    this.element.hidden = !row;
    if (!row) {
      this.shown = null;
      return;
    }
    if (this.shown !== focus) this.draft = "";
    this.shown = focus;
    this.fill(row, this.told(row));
    if (this.server) this.ask(row);
  }

  // What the page itself knows of a trial.
  told({ trial }) {
    const { notes, warnings, texts, failed } = this.store.model.told;
    const text = texts[failed[trial]];
    return { notes: notes[trial] ?? [], texts: text ? [{ title: "failure", text }] : [], warning: warnings[trial] ?? "", logs: [] };
  }

  async ask(row) {
    const told = await this.server.trial(row.trial);
    if (!told || this.shown !== row.trial) return;
    const warning = [...new Set(told.folds.map((fold) => fold.warning).filter(Boolean))].join("\n");
    this.fill(row, { ...told, warning });
  }

  fill(row, told) {
    const close = element("button", { type: "button", "aria-label": "Close", onclick: () => this.store.change({ focus: null }) }, "✕");
    const state = row.state === "complete" && !row.reason ? `rank ${row.rank}` : row.state;
    const field = this.element.querySelector("textarea");
    if (field) this.draft = field.value;
    const isTyping = field !== null && document.activeElement === field;
    this.element.replaceChildren(
      ...[
        element("div", { class: "bar" }, element("h2", {}, `Trial ${row.trial}`), element("span", { class: "note" }, state), close),
        row.reason ? element("p", { class: "reason" }, row.reason) : null,
        pairs("Parameters", [...row.params].map(([name, value]) => [name, textOf(value)])),
        this.scores(row, told),
        told.warning ? texts("Warnings", [{ title: "", text: told.warning }]) : null,
        texts("Failures", told.texts),
        texts("Logs", told.logs),
        this.notes(row, told.notes),
      ].filter(Boolean),
    );
    this.element.setAttribute("aria-label", `Trial ${row.trial}`);
    if (isTyping) this.element.querySelector("textarea")?.focus();
  }

  scores(row, told) {
    const { metrics } = this.store.model;
    const means = metrics.map(({ name }) => [name, row.shown.get(name)]);
    const single = row.folds.map((score, fold) => [`fold ${fold}`, textOf(score)]).filter(([, text]) => text !== "–");
    const folds = told.folds?.map((fold) => [
      `fold ${fold.fold}, ${fold.seconds} s`,
      fold.failure || metrics.map(({ name }) => (metrics.length > 1 ? `${name} ${fold.scores[name]}` : fold.scores[name])).join(", "),
    ]);
    return pairs("Scores", [...means, ...(folds ?? single)]);
  }

  notes({ trial }, listed) {
    const shown = listed.map((text) => element("li", {}, text));
    const isWritable = this.server?.canNote();
    if (!shown.length && !isWritable) return null;
    const parts = [element("h3", {}, "Notes"), shown.length ? element("ul", {}, ...shown) : null];
    if (isWritable) parts.push(this.form(trial));
    return element("section", {}, ...parts);
  }

  form(trial) {
    const field = element("textarea", { rows: 2, maxlength: 2000, "aria-label": "New note", placeholder: "Write a note" });
    field.value = this.draft;
    const said = element("span", { class: "note", role: "status" });
    const send = async () => {
      if (!field.value.trim()) return;
      const problem = await this.server.note(trial, field.value);
      said.textContent = problem ?? "";
      if (problem) return;
      field.value = this.draft = "";
      this.draw();
    };
    return element("div", { class: "form" }, field, element("button", { type: "button", onclick: send }, "Add note"), said);
  }
}

function pairs(title, rows) {
  if (!rows.length) return null;
  const body = rows.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value)));
  return element("section", {}, element("h3", {}, title), element("table", {}, element("tbody", {}, ...body)));
}

function texts(title, listed) {
  if (!listed.length) return null;
  const parts = listed.map((each) => [each.title ? element("p", { class: "note" }, each.title) : null, element("pre", { class: "scroll", tabindex: "0" }, each.text)]);
  return element("section", {}, element("h3", {}, title), ...parts.flat());
}
