// A row of one's own, for a model that came without a table.

import { post } from "./api.js";
import { html, option } from "./dom.js";

export class TypedRow {
  constructor(root, { onRow, onWrong }) {
    this.root = root;
    this.onRow = onRow;
    this.onWrong = onWrong;
  }

  show(run) {
    this.run = run;
    this.root.hidden = run.told;
    this.root.replaceChildren();
    if (run.told) return;
    if (!run.fields) {
      const many = "The model has more columns than one would type in; give it a table with a row.";
      this.root.append(html("p", { class: "soft" }, many));
      return;
    }
    this.cells = run.fields.map((field) => this.input(field));
    this.truth = run.targets.map((name) =>
      run.classes ? this.choice(name, run.classes, "(not known)") : this.text(name),
    );
    const form = html(
      "form",
      { class: "typed", autocomplete: "off" },
      html("fieldset", {}, html("legend", {}, "A row of your own"), ...this.cells.map(this.labelled)),
      html("fieldset", {}, html("legend", {}, "Its truth, if you know it"), ...this.truth.map(this.labelled)),
      html("p", { class: "buttons" }, html("button", {}, "Add this row")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.add();
    });
    this.root.append(form);
    this.fill(run.fields.map((field) => field.value));
  }

  /** Begin with the cells of a row that is there. */
  fill(cells) {
    this.cells?.forEach(({ control }, k) => (control.value = cells[k] ?? ""));
  }

  labelled({ name, control }) {
    return html("label", { class: "field" }, name, control);
  }

  text(name) {
    return { name, control: html("input", { type: "text", maxlength: 1000 }) };
  }

  /** A choice of levels, where there are few; a blank cell is a missing value. */
  input({ name, levels, all }) {
    if (!levels || !all) return this.text(name);
    return this.choice(name, levels, "(missing)");
  }

  choice(name, levels, none) {
    return { name, control: html("select", {}, option("", none), ...levels.map((level) => option(level))) };
  }

  async add() {
    const { run } = this;
    const told = (entries) => entries.map(({ name, control }) => [name, control.value]);
    try {
      const truth = told(this.truth).map(([, value]) => value);
      const { row } = await post(`runs/${run.run}/rows`, {
        cells: Object.fromEntries(told(this.cells)),
        truth,
      });
      if (run === this.run) await this.onRow(row);
    } catch (failure) {
      this.onWrong(failure);
    }
  }
}
