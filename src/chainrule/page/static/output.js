// What the network answers: a decision surface with the rows, prediction over truth, or who is taken for whom.

import { bytes, diverging, ofClass, paint, softClass, theme } from "./colours.js";
import * as charts from "./charts.js";
import { html, said, share } from "./dom.js";

export class Output {
  constructor(root, title, run, onRow) {
    this.root = root;
    this.run = run;
    this.onRow = onRow;
    title.textContent = run.plane
      ? `${run.targets.join(", ")} over ${run.plane.names.join(" and ")}`
      : !run.told
        ? "What it answers to these rows"
        : run.classes
          ? "Who is taken for whom"
          : "Prediction and truth";
    if (run.plane) this.surface();
    this.drawn = 0;
  }

  /** Two canvases: the answers, and over them the rows, which do not move. */
  surface() {
    const { plane, points } = this.run;
    this.answers = html("canvas", { width: plane.n, height: plane.n, class: "answers" });
    this.points = html("canvas", { width: 560, height: 560, class: "points" });
    const label =
      `What the network answers over ${plane.names.join(" and ")}, and ${points.length} rows. ` +
      "Their answers are in the table of rows.";
    const box = html("div", { class: "plane", role: "img", "aria-label": label }, this.answers, this.points);
    const x = html(
      "p",
      { class: "soft axis" },
      `${plane.names[0]} from ${said(plane.x[0], 3)} to ${said(plane.x[1], 3)}; ` +
        `${plane.names[1]} upwards from ${said(plane.y[0], 3)} to ${said(plane.y[1], 3)}`,
    );
    this.key = html("p", { class: "key soft" });
    this.root.replaceChildren(box, this.key, x);
    // Without points the frames say from where to where the answers go.
    this.span = points.length
      ? [Math.min(...points.map((p) => p[2])), Math.max(...points.map((p) => p[2]))]
      : [0, 0];
    this.many = (this.run.classes?.length ?? 0) > 2;
    this.drawPoints();
    box.addEventListener("click", (event) => {
      const area = box.getBoundingClientRect();
      const at = [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
      const far = points.map((point) => {
        const [u, v] = this.place(point);
        return Math.hypot(u - at[0], v - at[1]);
      });
      const nearest = far.indexOf(Math.min(...far));
      if (far[nearest] < 0.05) this.onRow(points[nearest][4]);
    });
  }

  /** What the colours mean; they follow the theme. */
  drawKey() {
    const [low, high] = this.span;
    this.key.replaceChildren(
      ...(this.run.classes
        ? this.run.classes.map((name, k) => this.swatch(this.pure(k), String(name)))
        : [this.swatch(diverging(-1), said(low, 3)), this.swatch(diverging(1), said(high, 3))]),
      html("span", { class: "ring-key" }, "validates"),
    );
  }

  swatch(colour, text) {
    const box = html("i", { class: "swatch" });
    box.style.background = colour;
    return html("span", {}, box, text);
  }

  pure(code) {
    return this.many ? ofClass(code) : diverging(code ? 1 : -1);
  }

  place([a, b]) {
    const { x, y } = this.run.plane;
    return [(a - x[0]) / (x[1] - x[0]), 1 - (b - y[0]) / (y[1] - y[0])];
  }

  drawPoints() {
    this.drawKey();
    const context = this.points.getContext("2d");
    const size = this.points.width;
    context.clearRect(0, 0, size, size);
    for (const point of this.run.points) {
      const [u, v] = this.place(point);
      const share = (2 * (point[2] - this.span[0])) / (this.span[1] - this.span[0] || 1) - 1;
      const colour = this.run.classes ? this.pure(point[2]) : diverging(share);
      const chosen = point[4] === this.chosen;
      context.beginPath();
      context.arc(u * size, v * size, chosen ? 11 : 6, 0, 2 * Math.PI);
      context.fillStyle = point[3] ? theme().paper : colour;
      context.fill();
      context.lineWidth = point[3] ? 3.5 : 1.5;
      context.strokeStyle = point[3] ? colour : theme().paper;
      context.stroke();
      if (chosen) {
        context.beginPath();
        context.arc(u * size, v * size, 14, 0, 2 * Math.PI);
        context.lineWidth = 3;
        context.strokeStyle = theme().ink;
        context.stroke();
      }
    }
  }

  choose(row) {
    this.chosen = row;
    if (this.run.plane) this.drawPoints();
  }

  draw(frame) {
    if (this.run.plane && frame.surface) {
      const last = Math.max(1, (this.run.classes?.length ?? 2) - 1);
      const colour = this.many
        ? (byte) => softClass(Math.round((byte / 255) * last))
        : (byte) => theme().soft[byte];
      paint(this.answers, bytes(frame.surface), colour);
      if (!this.run.points.length) {
        this.span = frame.surface_range;
        this.drawKey();
      }
      return;
    }
    const now = performance.now();
    if (frame.playing && now - this.drawn < 150) return; // charts of many points need no 30 frames a second
    this.drawn = now;
    if (frame.answers) {
      const several = frame.answers.length > 1;
      this.root.replaceChildren(
        ...frame.answers.flatMap(({ target, points }) => charts.answers(points, target, several)),
      );
    } else if (frame.confusion) this.confusion(frame.confusion);
    else if (frame.spread) this.root.replaceChildren(...frame.spread.map((one) => this.spread(one)));
    else {
      const many = "Too many classes to draw; the rows below have the answers.";
      this.root.replaceChildren(html("p", { class: "soft" }, many));
    }
  }

  /** How often which answer is given, where nobody knows the truth. */
  spread({ target, names, edges, counts }) {
    if (edges) return html("figure", {}, charts.histogram({ edges, counts }, target));
    const all = counts.reduce((sum, count) => sum + count, 0);
    const row = (name, k) =>
      html("tr", {}, html("th", { scope: "row" }, name), html("td", { class: "n" }, share(counts[k] / all)));
    return html(
      "table",
      {},
      html("caption", {}, `How often it answers which ${target}`),
      html("tbody", {}, ...names.map(row)),
    );
  }

  confusion({ classes, counts }) {
    const most = Math.max(1, ...counts.flat());
    const cell = (count, i, j) => {
      const one = html("td", {}, String(count));
      one.style.background =
        i === j
          ? `color-mix(in srgb, var(--blue) ${(50 * count) / most}%, transparent)`
          : `color-mix(in srgb, var(--orange) ${(50 * count) / most}%, transparent)`;
      return one;
    };
    this.root.replaceChildren(
      html(
        "div",
        { class: "wide", tabindex: 0, role: "region", "aria-label": "Truth and answers" },
        html(
          "table",
          { class: "confusion" },
          html("caption", {}, "Rows: the truth; columns: the answer"),
          html(
            "thead",
            {},
            html("tr", {}, html("td", {}), ...classes.map((name) => html("th", { scope: "col" }, name))),
          ),
          html(
            "tbody",
            {},
            ...counts.map((row, i) =>
              html(
                "tr",
                {},
                html("th", { scope: "row" }, classes[i]),
                ...row.map((count, j) => cell(count, i, j)),
              ),
            ),
          ),
        ),
      ),
    );
  }
}
