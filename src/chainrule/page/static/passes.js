// A row's two passes through the network, a step at a time: forward what units say, then δ on its way back.

import { button, calm, html, option, renew, said } from "./dom.js";

const PACES = [0.5, 1, 1.5, 3, 6]; // seconds from step to step, where the page goes on by itself
const CELLS = 16; // of a row that are read out

export class Passes {
  constructor(root, diagram, onClose, onLeft) {
    this.root = root;
    this.diagram = diagram;
    this.onClose = onClose;
    this.onLeft = onLeft; // closed by the reader, who goes back to the row
    this.timer = 0;
    this.pace = 1.5;
  }

  show(row, run) {
    this.stop();
    // The same row after the network moved: the reader stays at the step.
    const step = !this.root.hidden && this.run === run && this.row.row === row.row ? this.step : 0;
    this.row = row;
    this.run = run;
    this.layers = row.layers.length;
    // Forward a step for each layer, then the loss, then backward a step for each layer.
    // Where nobody knows the truth there is no loss, and no way back.
    this.steps = row.truth === null ? this.layers : 2 * this.layers + 1;
    this.step = step;
    this.next = button("Next step", () => this.go(this.step + 1), { "data-keep": "next" });
    this.back = button("Step back", () => this.go(this.step - 1), { "data-keep": "back" });
    this.auto = button(calm() ? "Show all" : "Animate", () => this.play(), { "data-keep": "auto" });
    this.text = html("p", { class: "says", role: "status" });
    renew(
      this.root,
      html("h4", {}, `Row ${row.row + 1}, step by step`),
      this.text,
      html(
        "p",
        { class: "buttons" },
        this.back,
        this.next,
        this.auto,
        calm() ? null : this.paces(),
        button(
          "Close",
          () => {
            this.close();
            this.onLeft(this.row.row);
          },
          { "data-keep": "close" },
        ),
      ),
    );
    this.root.hidden = false;
    this.go(step);
  }

  /** Bring the network and the buttons before the reader, who may have chosen the row far below. */
  come() {
    this.root.parentElement.scrollIntoView({ block: "nearest", behavior: calm() ? "instant" : "smooth" });
    this.next.focus({ preventScroll: true });
  }

  /** The reader's own pace, also under way. */
  paces() {
    const known = PACES.map((seconds) => option(seconds, `${seconds} s a step`));
    const select = html("select", { "data-keep": "pace", "aria-label": "Pace of the animation" }, ...known);
    select.value = this.pace;
    select.addEventListener("change", () => {
      this.pace = Number(select.value);
      if (this.timer) this.tick();
    });
    return select;
  }

  tick() {
    clearInterval(this.timer);
    const next = () => (this.step < this.steps ? this.go(this.step + 1) : this.stop());
    this.timer = setInterval(next, 1000 * this.pace);
  }

  play() {
    if (this.timer) return this.stop();
    if (this.step === this.steps) this.go(0);
    if (calm()) return this.go(this.steps);
    this.auto.textContent = "Stop";
    this.tick();
    return undefined;
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    if (this.auto) this.auto.textContent = calm() ? "Show all" : "Animate";
  }

  /** While the network learns, what a row gave before is not shown as if it were so now. */
  rest() {
    if (this.root.hidden || !this.diagram.pass) return;
    this.stop();
    this.diagram.pass = null;
  }

  close() {
    this.stop();
    this.root.hidden = true;
    this.diagram.pass = null;
    if (this.diagram.frame) this.diagram.draw(this.diagram.frame);
    this.onClose();
  }

  go(step) {
    this.step = Math.max(0, Math.min(step, this.steps));
    const active = document.activeElement;
    this.back.disabled = this.step === 0;
    this.next.disabled = this.step === this.steps;
    // A button that is no longer of use must not take the focus with it.
    if (active === this.next && this.next.disabled) this.back.focus();
    if (active === this.back && this.back.disabled) this.next.focus();
    this.text.textContent = this.says();
    this.diagram.pass = this.look();
    if (this.diagram.frame) this.diagram.draw(this.diagram.frame);
  }

  /** What the diagram shows at this step: values up to a layer, or δ down to one. */
  look() {
    const { row, layers, step } = this;
    const backward = step > layers + 1;
    const reached = backward ? layers - (step - layers - 2) : Math.min(step, layers); // the column that is reached
    const of = (c, units, all) => units.map(({ unit }) => all[unit] ?? 0);
    return {
      backward,
      layer: step === 0 || step === layers + 1 ? -1 : backward ? reached : reached - 1,
      backwardAt: (c) => backward && c >= reached && c > 0,
      values: (c, column) => {
        if (c === 0) return of(c, column.units, row.x);
        if (backward && c >= reached) return of(c, column.units, row.layers[c - 1].delta);
        if (!backward && c > reached) return column.units.map(() => null);
        return of(c, column.units, row.layers[c - 1].h);
      },
    };
  }

  says() {
    const { row, layers, step } = this;
    if (step === 0) {
      const more = row.cells.length > CELLS ? ` and ${row.columns - CELLS} more columns` : "";
      const cells = row.cells.slice(0, CELLS).map((cell) => cell || "(missing)");
      const truth = row.truth === null ? "Nobody knows its truth." : `Its truth is ${row.truth}.`;
      return `The row comes in: ${cells.join(", ")}${more}. ${truth}`;
    }
    if (row.truth === null && step === layers) {
      return `${row.steps[step - 1].title}. The answer is ${row.answer}. Without a truth there is no loss.`;
    }
    if (step <= layers) return `${row.steps[step - 1].title}. ${row.steps[step - 1].says}`;
    if (step === layers + 1) {
      const loss = `the loss, ${row.loss_name}, is ${said(row.loss)}`;
      return `The answer is ${row.answer}, the truth ${row.truth}: ${loss}. Now the way back.`;
    }
    const layer = layers - (step - layers - 2);
    const delta = row.layers[layer - 1].delta;
    const largest = Math.max(...delta.map((value) => Math.abs(value ?? 0)));
    const rule =
      layer === layers
        ? `δ${layer} = ∂L/∂z${layer}: how the loss changes with each output.`
        : `δ${layer} = (W${layer + 1}ᵀ δ${layer + 1}) ⊙ σ′(z${layer}): ` +
          "back through the weights, times the slope of each unit.";
    return `${rule} The largest is ${said(largest, 3)}. Then ∂L/∂W${layer} = δ${layer} times what came in.`;
  }
}
