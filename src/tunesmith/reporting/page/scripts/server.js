// The server of a live page: its studies, their news, and what may be asked of it.

const POLL_MS = 2000;

export class Server {
  constructor(studies) {
    this.studies = studies;
    this.current = Math.min(Number(/^#study-(\d+)$/.exec(location.hash)?.[1] ?? 0), studies.length - 1);
    this.tag = null;
  }

  get study() {
    return this.studies[this.current];
  }

  canNote() {
    return Boolean(this.study?.can_note);
  }

  choose(place) {
    this.current = place;
    this.tag = null;
    history.replaceState(null, "", `#study-${place}`);
  }

  // New content of the chosen study; null without news.
  async content() {
    const place = this.current;
    const headers = this.tag === null ? {} : { "If-None-Match": this.tag };
    const answer = await fetch(`${place}/data.json`, { cache: "no-store", headers });
    if (answer.status === 304 || place !== this.current) return null;
    if (!answer.ok) throw new Error(String(answer.status));
    this.tag = answer.headers.get("ETag");
    return answer.json();
  }

  async overview() {
    const answer = await fetch("studies.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    this.studies = (await answer.json()).studies;
  }

  async trial(number) {
    try {
      const answer = await fetch(`${this.current}/trial/${number}.json`, { cache: "no-store" });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  // Null if it was written, else the reason for which not.
  async note(number, text) {
    const said = await this.post(`trial/${number}/note`, { text });
    return said.problem ?? null;
  }

  async stop() {
    const said = await this.post("stop", {});
    return said.problem ?? said.said;
  }

  async post(place, content) {
    try {
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch(`${this.current}/${place}`, { method: "POST", headers, body: JSON.stringify(content) });
      return answer.ok || answer.status === 409 ? await answer.json() : { problem: `The server refused it (${answer.status}).` };
    } catch {
      return { problem: "There is no connection to the server." };
    }
  }

  // Calls back with new content, and after each look with or without success.
  async follow(renew, looked) {
    for (;;) {
      await new Promise((done) => setTimeout(done, POLL_MS));
      try {
        await this.overview();
        const content = await this.content();
        if (content) renew(content);
        looked(true);
      } catch {
        looked(false);
      }
    }
  }
}
