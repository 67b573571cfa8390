// Two runs beside each other: their losses in one chart.

import * as charts from "./charts.js";
import { html } from "./dom.js";

const AGAIN = 200; // milliseconds between two drawings

export class Compared {
  constructor(root) {
    this.root = root;
    this.drawn = 0;
  }

  show(two) {
    this.root.hidden = !two;
  }

  /** Of rows that validate where both runs have some, and else of those that are learnt from. */
  draw(views) {
    const now = performance.now();
    if (views.length < 2 || views.some((one) => !one.past)) return;
    if (now - this.drawn < AGAIN && views.some((one) => one.frame?.playing)) return;
    this.drawn = now;
    const validate = views.every((one) => one.past.curve.validation.some((value) => value !== null));
    const lines = views.map((one) => ({
      name: one.name,
      epochs: one.past.curve.epoch,
      values: validate ? one.past.curve.validation : one.past.curve.loss,
    }));
    const which = validate ? "rows that validate" : "rows that are learnt from";
    const [first, second] = views.map((one) => one.run);
    const same = first.loss === second.loss && first.targets.join() === second.targets.join();
    const caution = same ? "" : " The runs have different losses, or targets: only shapes can be compared.";
    this.root.replaceChildren(
      html("h3", {}, "Both losses"),
      html("div", { class: "chart" }, charts.twoLines(lines, which)),
      html("p", { class: "soft" }, `Of the ${which}.${caution}`),
    );
  }
}
