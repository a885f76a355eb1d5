// Above the report of a live page: the studies to choose from, and the run of the chosen one.

import { element } from "./dom.js";

const SURE_MS = 4000;

export class Studies {
  constructor(server, choose) {
    Object.assign(this, { server, choose });
    this.list = element("nav", { class: "studies", "aria-label": "Studies" });
    this.run = element("div", { class: "run" });
    this.said = element("p", { class: "note", role: "status" });
    this.element = element("div", {}, this.list, this.run, this.said);
    this.isAsking = false;
  }

  draw() {
    const { studies, current } = this.server;
    const focused = document.activeElement?.dataset?.study;
    this.list.hidden = studies.length < 2;
    this.list.replaceChildren(...studies.map((study, place) => this.entry(study, place, place === current)));
    if (focused) this.list.querySelector(`[data-study="${Number(focused)}"]`)?.focus();
    this.drawRun();
  }

  entry(study, place, isCurrent) {
    const lines = [element("strong", {}, study.study), element("span", {}, study.words || "not run yet"), element("span", {}, study.best)];
    const attributes = { type: "button", "data-study": place, "aria-current": isCurrent ? "true" : null };
    return element("button", { ...attributes, class: study.is_running ? "running" : "", onclick: () => this.choose(place) }, ...lines);
  }

  drawRun() {
    const study = this.server.study;
    if (!study?.is_running) {
      this.run.replaceChildren();
      this.isAsking = false;
      return;
    }
    const share = study.n_trials ? Math.min(study.n_completed / study.n_trials, 1) : null;
    const bar = share === null ? null : element("progress", { max: 1, value: share, "aria-label": "trials done" });
    const focused = document.activeElement?.classList.contains("stop");
    const stop = element("button", { type: "button", class: "stop", onclick: () => this.stop() }, this.isAsking ? "Really stop it?" : "Stop the run");
    this.run.replaceChildren(...[bar, element("span", {}, study.words), study.can_stop ? stop : null].filter(Boolean));
    if (focused) stop.focus();
  }

  // The first click asks, the second one within some seconds means it.
  async stop() {
    if (!this.isAsking) {
      this.isAsking = true;
      setTimeout(() => {
        this.isAsking = false;
        this.drawRun();
      }, SURE_MS);
      this.drawRun();
      return;
    }
    this.isAsking = false;
    this.said.textContent = await this.server.stop();
    this.drawRun();
  }
}
