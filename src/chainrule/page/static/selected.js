// What is chosen: a weight with its derivation, or a unit with what comes in. Both can be edited and followed.

import { get } from "./api.js";
import * as charts from "./charts.js";
import { button, html, renew, said } from "./dom.js";

const AGAIN = 1500; // milliseconds between two questions while the network learns

/** Of how many rows a gradient is the mean. */
const batch = ({ rows, learnt }) => (rows < learnt ? `${rows} of ${learnt} rows` : `${rows} rows`);

export class Selected {
  constructor(root, { onEdit, onWeight, onClose, onWrong }) {
    this.root = root;
    this.onEdit = onEdit;
    this.onWeight = onWeight;
    this.onClose = onClose;
    this.onWrong = onWrong;
    this.asked = 0;
    root.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  begin(run) {
    this.run = run;
    this.what = null;
    this.row = null;
    this.root.hidden = true;
  }

  weight(name) {
    this.open({ kind: "weight", name });
  }

  unit(layer, unit) {
    this.open({ kind: "unit", layer, unit });
  }

  open(what) {
    // Whoever closes the panel goes on where it was opened, even if a weight was opened from within it.
    if (!this.root.contains(document.activeElement)) this.opener = document.activeElement;
    this.what = what;
    this.root.hidden = false;
    this.root.replaceChildren(html("p", { class: "soft", role: "status" }, "Deriving…"));
    this.root.setAttribute("tabindex", -1);
    this.root.focus({ preventScroll: true });
    this.load().then(() => {
      // Who has gone elsewhere in the meantime is not called back.
      if (this.what === what && document.activeElement === this.root) this.root.querySelector("h3")?.focus();
    });
    this.root.scrollIntoView({ block: "nearest" });
  }

  choose(row) {
    this.row = row;
    if (this.what) this.load();
  }

  /** The network moved: ask again, but seldom while it learns, and not while somebody types. */
  moved(frame) {
    const mark = `${frame.epoch},${frame.step},${frame.loss}`;
    if (!this.what || this.busy || mark === this.mark) return;
    const typing =
      this.root.contains(document.activeElement) && document.activeElement.matches("input[type=number]");
    if (typing || (frame.playing && performance.now() - this.asked < AGAIN)) return;
    this.mark = mark;
    this.load();
  }

  async load() {
    const { what, run } = this;
    this.busy = true;
    this.asked = performance.now();
    try {
      const query =
        what.kind === "weight"
          ? { name: what.name, row: this.useRow || !run.told ? this.row : null }
          : { layer: what.layer, unit: what.unit, row: this.row };
      const found = await get(`runs/${run.run}/${what.kind}`, query);
      if (what !== this.what || run !== this.run) return;
      if (what.kind === "weight") this.drawWeight(found);
      else this.drawUnit(found);
    } catch (failure) {
      this.onWrong(failure);
      // There is no such weight: a panel that says no more than that it is deriving must not stay.
      if (what === this.what && this.root.querySelector("[role=status]")) this.close();
    } finally {
      this.busy = false;
    }
  }

  close() {
    this.what = null;
    this.root.hidden = true;
    this.onClose();
    if (this.opener?.isConnected) this.opener.focus();
  }

  head(title) {
    return html(
      "div",
      { class: "bar" },
      html("h3", { tabindex: -1, "data-keep": "title" }, title),
      button("Close", () => this.close(), { "data-keep": "close" }),
    );
  }

  edit(name, value) {
    const input = html("input", {
      type: "number",
      step: "any",
      value: Number(value.toPrecision(5)),
      "data-keep": "edit",
    });
    const form = html(
      "form",
      { class: "edit" },
      html("label", { class: "field" }, `Set ${name} to`, input),
      html("button", { "data-keep": "set" }, "Set"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (input.value !== "") this.onEdit(name, Number(input.value));
      form.querySelector("button").focus(); // away from the input, whose number may now be renewed
    });
    return form;
  }

  /** Of which rows the loss is derived. */
  choice() {
    const of = (text, row, disabled) => {
      const input = html("input", { type: "radio", name: `of-${this.run.run}`, "data-keep": text, disabled });
      input.checked = this.useRow === row;
      input.addEventListener("change", () => {
        this.useRow = row;
        this.load();
      });
      return html("label", { class: "tick" }, input, text);
    };
    const none = this.row === null || this.row === undefined;
    return html(
      "fieldset",
      { class: "inline" },
      html("legend", {}, "Derive for"),
      of("the rows that are learnt from", undefined, false),
      of(none ? "a row (choose one below)" : `row ${this.row + 1}`, true, none),
    );
  }

  unknown(found) {
    const output = "Nobody knows the truth of this row: it is the output ŷ₁ that is derived, not a loss.";
    return found.of === "L" ? null : html("p", { class: "soft" }, output);
  }

  drawWeight(found) {
    const open = this.root.querySelector("details")?.open ?? true;
    const number = (name, value) => html("div", {}, html("dt", {}, name), html("dd", {}, said(value, 8)));
    const derivation = html("div", {
      class: "derivation",
      tabindex: 0,
      role: "region",
      "aria-label": "Derivation",
      "data-keep": "derivation",
    });
    derivation.innerHTML = found.html; // written by the library on this machine, every word of it escaped
    derivation.querySelectorAll(".eqs, .wide").forEach((one, k) => {
      // may be wider than the page
      one.tabIndex = 0;
      one.dataset.keep = `line ${k}`;
    });
    for (const head of derivation.querySelectorAll("th")) {
      // A head of nothing but a formula is none to screen readers that know no MathML.
      if (head.querySelector("math")) head.setAttribute("aria-label", head.textContent);
    }
    const levels = { H1: "H4", H2: "H5" };
    for (const title of derivation.querySelectorAll("h1, h2")) {
      const lower = document.createElement(levels[title.tagName]);
      lower.append(...title.childNodes);
      title.replaceWith(lower);
    }
    renew(
      this.root,
      this.head(`Weight ${found.name}`),
      html(
        "dl",
        { class: "numbers" },
        html("div", {}, html("dt", {}, "Value"), html("dd", {}, said(found.value))),
        html(
          "div",
          {},
          html(
            "dt",
            {},
            `∂${found.of}/∂w, ${found.row === null ? batch(found) : `row ${found.row + 1}`}`,
          ),
          html("dd", {}, said(found.gradient)),
        ),
      ),
      this.run.told ? this.choice(found) : this.unknown(found),
      this.edit(found.name, found.value),
      html(
        "figure",
        { class: "chart" },
        charts.history(found.history.epoch, found.history.value, found.name),
        html("figcaption", { class: "soft" }, "Its value over time"),
      ),
      html(
        "dl",
        { class: "numbers three" },
        number("derived by hand", found.derived),
        number("compiled backward pass", found.compiled),
        number("finite difference", found.finite_difference),
      ),
      html(
        "details",
        { open },
        html("summary", { "data-keep": "summary" }, "The derivation, with the numbers of now"),
        derivation,
      ),
    );
  }

  drawUnit(found) {
    const number = (name, value) => html("div", {}, html("dt", {}, name), html("dd", {}, said(value)));
    const at =
      found.value === null
        ? []
        : found.layer === 0
          ? [number("value", found.value)]
          : [number("z", found.z), number("h", found.h), number("δ", found.delta)];
    const bias =
      found.bias === null ? "none" : this.link({ weight_name: found.bias_name, weight: found.bias });
    const more = found.layer === 0 ? "its value" : "z, h and δ";
    renew(
      this.root,
      this.head(`Unit ${found.name}`),
      html(
        "dl",
        { class: "numbers" },
        ...at,
        found.layer === 0 ? null : html("div", {}, html("dt", {}, "Bias"), html("dd", {}, bias)),
      ),
      found.value === null ? html("p", { class: "soft" }, `Choose a row below to see ${more} of it.`) : null,
      this.weights("What comes in", "from", found.inputs, found.inputs_in_all),
      this.weights("Where it goes", "to", found.outputs, found.outputs_in_all),
      html(
        "figure",
        { class: "chart" },
        charts.histogram(found.histogram, found.name),
        html(
          "figcaption",
          { class: "soft" },
          `What it says of the rows; 0 of ${(100 * found.zero_share).toFixed(0)} % of them`,
        ),
      ),
    );
  }

  link({ weight_name, weight }) {
    return button(`${weight_name} = ${said(weight)}`, () => this.onWeight(weight_name), {
      class: "small",
      "data-keep": weight_name,
    });
  }

  /** The weights of one side of a unit, each a button. */
  weights(title, end, all, inAll) {
    if (!inAll) return null;
    const values = all.some((one) => one.value !== null);
    const head = (text) => html("th", { scope: "col" }, text);
    const more = inAll - all.length;
    const rows = all.map((one) =>
      html(
        "tr",
        {},
        html("th", { scope: "row" }, one.name),
        html("td", {}, this.link(one)),
        values ? html("td", { class: "n" }, said(one.value)) : null,
      ),
    );
    return html(
      "div",
      { class: "wide", tabindex: 0, role: "region", "aria-label": title, "data-keep": title },
      html(
        "table",
        {},
        html("caption", {}, `${title}${more ? `; ${more} smaller weights are not listed` : ""}`),
        html(
          "thead",
          {},
          html("tr", {}, head(end), head("weight"), values ? head(`in row ${this.row + 1}`) : null),
        ),
        html("tbody", {}, ...rows),
      ),
    );
  }
}
