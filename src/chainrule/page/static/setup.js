// The set-up of a run as a form. A change begins a new run; only the learning rate is changed under way.

import { button, html, option, renew } from "./dom.js";

const SETTLE = 250; // milliseconds in which several changes become one new run

export class SetupForm {
  constructor(form, about, onChange, onRate) {
    this.form = form;
    this.about = about;
    this.onChange = onChange;
    this.onRate = onRate;
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  show(run) {
    this.run = run;
    // Changes that wait go on from what was wished, not from what is now shown.
    if (!this.timer) this.wished = run.setup;
    if (!run.told) {
      const why =
        "These are the model's own. With a table, or a classic set, a network of another set-up learns.";
      this.form.replaceChildren(html("p", { class: "soft" }, why));
      return;
    }
    const { setup } = run;
    const { limits } = this.about;
    const losses = this.about.losses[run.task];
    const classic = setup.data.set !== undefined;
    const layers = setup.hidden.map((units, k) =>
      html(
        "span",
        { class: "layer" },
        this.number(`Units of layer ${k + 1}`, units, { min: 1, max: limits.units, step: 1 }, (value) =>
          this.hidden((all) => all.with(k, value)),
        ),
        button("−", () => this.hidden((all) => all.toSpliced(k, 1)), {
          "aria-label": `Remove layer ${k + 1}`,
          class: "small",
          "data-keep": `remove ${k}`,
        }),
      ),
    );
    const add = button("Add a layer", () => this.hidden((all) => [...all, all.at(-1) ?? 8]), {
      disabled: setup.hidden.length >= limits.layers,
      "data-keep": "add",
    });
    renew(
      this.form,
      html(
        "fieldset",
        {},
        html("legend", {}, "Hidden layers"),
        html("div", { class: "layers" }, ...layers, add),
      ),
      html(
        "fieldset",
        {},
        html("legend", {}, "Network"),
        this.choice("Activation", setup.activation, this.about.activations, (activation) =>
          this.change({ activation }),
        ),
        this.choice("Loss", setup.loss ?? "", [["", `the task's own (${run.loss})`], ...losses], (loss) =>
          this.change({ loss: loss || null }),
        ),
        this.tick("Layer normalisation", setup.layer_norm, (layer_norm) => this.change({ layer_norm })),
        this.tick("Residual layers", setup.residual, (residual) => this.change({ residual })),
      ),
      html(
        "fieldset",
        {},
        html("legend", {}, "Training"),
        this.choice("Optimizer", setup.optimizer, this.about.optimizers, (optimizer) =>
          this.change({ optimizer, learning_rate: this.rateFor(optimizer) }),
        ),
        this.number("Learning rate", setup.learning_rate, { min: 0, step: "any" }, (value) => {
          this.run.setup.learning_rate = this.wished.learning_rate = value;
          this.onRate(value);
        }),
        this.number(
          "Batch size",
          setup.batch_size,
          { min: 1, max: limits.batch_size, step: 1 },
          (batch_size) => this.change({ batch_size }),
        ),
        this.number("l1", setup.l1, { min: 0, step: "any" }, (l1) => this.change({ l1 })),
        this.number("l2", setup.l2, { min: 0, step: "any" }, (l2) => this.change({ l2 })),
        this.number("Dropout", setup.dropout, { min: 0, max: 0.95, step: "any" }, (dropout) =>
          this.change({ dropout }),
        ),
        this.number("Validation share", setup.validation, { min: 0, max: 0.9, step: "any" }, (validation) =>
          this.change({ validation }),
        ),
        this.number("Seed", setup.seed, { min: 0, step: 1 }, (seed) => this.change({ seed })),
      ),
      classic
        ? html(
            "fieldset",
            {},
            html("legend", {}, "Points"),
            this.number("Rows", setup.data.rows, { min: 10, max: limits.rows, step: 1 }, (rows) =>
              this.data({ rows }),
            ),
            this.number("Noise", setup.data.noise, { min: 0, max: 5, step: "any" }, (noise) =>
              this.data({ noise }),
            ),
            this.number("Seed of the points", setup.data.seed, { min: 0, step: 1 }, (seed) =>
              this.data({ seed }),
            ),
          )
        : null,
    );
  }

  /** A rate that suits: ten times the usual one for small networks that one watches. */
  rateFor(optimizer) {
    const usual = this.about.rates[optimizer] ?? 0.003;
    return this.run.plane ? Math.min(0.3, 10 * usual) : usual;
  }

  change(part) {
    this.wished = { ...this.wished, model: null, ...part };
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.onChange(this.wished);
    }, SETTLE);
  }

  data(part) {
    this.change({ data: { ...this.wished.data, ...part } });
  }

  hidden(edit) {
    const hidden = edit(this.wished.hidden);
    if (hidden.length <= this.about.limits.layers) this.change({ hidden });
  }

  number(label, value, limits, set) {
    const input = html("input", { type: "number", value, "data-keep": label, ...limits });
    input.addEventListener("change", () => {
      if (input.value !== "" && input.checkValidity()) set(Number(input.value));
      else {
        input.reportValidity();
        input.value = value;
      }
    });
    return html("label", { class: "field" }, label, input);
  }

  choice(label, value, options, set) {
    const select = html(
      "select",
      { "data-keep": label },
      ...options.map((one) => (Array.isArray(one) ? option(...one) : option(one))),
    );
    select.value = value;
    select.addEventListener("change", () => set(select.value));
    return html("label", { class: "field" }, label, select);
  }

  tick(label, value, set) {
    const input = html("input", { type: "checkbox", "data-keep": label });
    input.checked = value;
    input.addEventListener("change", () => set(input.checked));
    return html("label", { class: "tick" }, input, label);
  }
}
