// The rows of the table, a page of them at a time; one can be chosen.

import { get } from "./api.js";
import { button, html, renew, said } from "./dom.js";

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

  wrong({ truth, answer }) {
    return this.run.classes && truth !== null && answer !== truth;
  }

  draw({ columns, columns_in_all, rows, count }) {
    this.count = count;
    // What one compares stands first: of a wide table the last columns are far away.
    const heads = ["row", this.run.targets.join(", "), "answer", "loss", ...columns];
    const further = columns_in_all - columns.length;
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
            "data-keep": `row ${row.row}`,
            class: "small",
          }),
          row.validates ? html("span", { class: "soft" }, " validates") : null,
        ),
        html("td", {}, row.truth ?? "–"),
        html("td", { class: this.wrong(row) ? "other" : null }, row.answer),
        html("td", { class: "n" }, said(row.loss, 3)),
        ...row.cells.map((cell) => html("td", {}, cell)),
      ),
    );
    renew(
      this.root,
      html(
        "div",
        {
          class: "wide",
          tabindex: 0,
          role: "region",
          "aria-label": "Rows of the table",
          "data-keep": "table",
        },
        html(
          "table",
          {},
          html("thead", {}, html("tr", {}, ...heads.map((name, k) => html("th", { scope: "col", class: k === 3 ? "n" : null }, name)))),
          html("tbody", {}, ...body),
        ),
      ),
      html(
        "p",
        { class: "buttons" },
        button("Earlier rows", () => this.turn(-COUNT), {
          disabled: this.from === 0,
          "data-keep": "earlier",
        }),
        button("Later rows", () => this.turn(COUNT), {
          disabled: this.from + COUNT >= count,
          "data-keep": "later",
        }),
        html("span", { class: "soft" }, ` ${this.from + 1} to ${this.from + rows.length} of ${count}`),
        further ? html("span", { class: "soft" }, `; ${further} more columns are not shown`) : null,
      ),
    );
  }
}
