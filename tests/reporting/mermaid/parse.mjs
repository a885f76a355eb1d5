// Reads a JSON list of charts, prints a JSON list: "" where Mermaid parses it, else its complaint.
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!DOCTYPE html><body></body>");
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import("mermaid");

const found = [];
for (const chart of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    await mermaid.parse(chart);
    found.push("");
  } catch (error) {
    found.push(String(error.message ?? error) || "it does not parse");
  }
}
console.log(JSON.stringify(found));
