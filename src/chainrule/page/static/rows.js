// The rows of the table, a page of them at a time; one can be chosen.

import { get } from "./api.js";
import { button, html, said } from "./dom.js";

const COUNT = 12;

export class Rows {
  constructor(root, onRow, onWrong) {
    this.root = root;
    this.onRow = onRow;
    this.onWrong = onWrong;
    this.from = 0;
  }

  show(run) {
    this.run = run;
    this.from = 0;
    this.chosen = null;
    return this.load();
  }

  async load() {
    try {
      const run = this.run;
      const found = await get(`runs/${run.run}/rows`, { from: this.from, count: COUNT });
      if (run === this.run) this.draw(found);
    } catch (failure) {
      this.onWrong(failure);
    }
  }

  turn(by) {
    this.from = Math.max(0, Math.min(this.from + by, this.count - 1));
    this.load();
  }

  choose(row) {
    this.chosen = row;
    this.from = Math.floor(row / COUNT) * COUNT;
    return this.load();
  }

  /** Go to the button of a row, where it is shown. */
  focus(row) {
    this.root.querySelector(`[data-row="${row}"]`)?.focus();
  }

  draw({ header, rows, count }) {
    this.count = count;
    const held = document.activeElement?.dataset?.row;
    const heads = ["row", ...header, "answer", "loss"];
    const body = rows.map((row) =>
      html(
        "tr",
        { class: row.row === this.chosen ? "chosen" : null },
        html(
          "th",
          { scope: "row" },
          button(String(row.row + 1), () => this.onRow(row.row), {
            "aria-label": `Row ${row.row + 1}: see its two passes`,
            "aria-pressed": String(row.row === this.chosen),
            "data-row": row.row,
            class: "small",
          }),
          row.validates ? html("span", { class: "soft" }, " validates") : null,
        ),
        ...row.cells.map((cell) => html("td", {}, cell)),
        html("td", {}, row.truth),
        html("td", { class: this.run.classes && row.answer !== row.truth ? "other" : null }, row.answer),
        html("td", { class: "n" }, said(row.loss, 3)),
      ),
    );
    this.root.replaceChildren(
      html(
        "div",
        { class: "wide", tabindex: 0, role: "region", "aria-label": "Rows of the table" },
        html(
          "table",
          {},
          html("thead", {}, html("tr", {}, ...heads.map((name) => html("th", { scope: "col" }, name)))),
          html("tbody", {}, ...body),
        ),
      ),
      html(
        "p",
        { class: "buttons" },
        button("Earlier rows", () => this.turn(-COUNT), { disabled: this.from === 0 }),
        button("Later rows", () => this.turn(COUNT), { disabled: this.from + COUNT >= count }),
        html("span", { class: "soft" }, ` ${this.from + 1} to ${this.from + rows.length} of ${count}`),
      ),
    );
    if (held !== undefined) this.root.querySelector(`[data-row="${held}"]`)?.focus();
  }
}
