// One run on the page: its controls, its pictures, what is chosen. There may be several.

import * as api from "./api.js";
import * as charts from "./charts.js";
import { onTheme } from "./colours.js";
import { Diagram } from "./diagram.js";
import { html, option, said, save, share, write } from "./dom.js";
import { Output } from "./output.js";
import { Passes } from "./passes.js";
import { Rows } from "./rows.js";
import { Selected } from "./selected.js";
import { SetupForm } from "./setup.js";
import { TypedRow } from "./typed.js";

const ROWS_AGAIN = 1000; // milliseconds between two readings of the table while the network learns

export class RunView {
  constructor(root, { name, about, wrong, tell, showCode, onDrawn, onTables }) {
    Object.assign(this, { root, name, about, wrong, tell, showCode, onDrawn, onTables });
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.diagram = new Diagram(this.part("diagram"), {
      onUnit: (column, unit) => this.openUnit(column, unit),
      onWeight: (name) => this.weight(name),
      // Which units of a large layer are shown must not change under the reader's hands.
      onHold: (held) => this.tellRun("hold", { held }),
    });
    this.passes = new Passes(
      this.part("passes"),
      this.diagram,
      () => this.rowChosen(null),
      (row) => this.rows.focus(row),
    );
    this.rows = new Rows(this.part("rows"), (row) => this.chooseRow(row), wrong);
    this.selected = new Selected(this.part("selected"), {
      onEdit: (name, value) => this.tellRun("edit", { name, value }),
      onWeight: (name) => this.weight(name),
      onClose: () => this.mark(null),
      onWrong: wrong,
    });
    this.typed = new TypedRow(this.part("typed"), { onRow: (row) => this.chooseRow(row), onWrong: wrong });
    this.form = new SetupForm(
      this.part("setup"),
      about,
      (setup) => this.begin(setup),
      (learning_rate) => this.tellRun("rate", { learning_rate }),
    );
    this.wire();
    onTheme(() => {
      this.output?.run.plane && this.output.drawPoints();
      this.draw();
    });
    document.addEventListener("visibilitychange", () => this.schedule());
  }

  wire() {
    const on = (name, event, call) => this.part(name).addEventListener(event, call);
    on("play", "click", () => this.play(!this.frame?.playing));
    on("batch", "click", () => this.tellRun("step", { of: "batch" }));
    on("epoch", "click", () => this.tellRun("step", { of: "epoch" }));
    on("restart", "click", () => this.tellRun("restart"));
    on("keep", "click", async () => {
      if (await this.tellRun("keep"))
        this.tell("What is shown is now the initialisation; Restart goes back to it.");
    });
    on("pace", "change", () => {
      this.part("pace").dataset.chosen = "";
      if (this.frame?.playing) this.play(true);
    });
    on("share", "click", () => this.shareSetup());
    on("model", "click", () => this.export());
    on("code", "click", async () => {
      try {
        const { blob, name } = await api.file(`runs/${this.run.run}/code`, "network.py");
        this.showCode(await blob.text(), name);
      } catch (failure) {
        this.wrong(failure);
      }
    });
    on("data", "change", () => this.chooseData(this.part("data").value));
    on("target", "change", () =>
      this.begin({
        ...this.run.setup,
        model: null,
        loss: null,
        data: { table: this.table.table, targets: JSON.parse(this.part("target").value) },
      }),
    );
    on("by-name", "submit", (event) => {
      event.preventDefault();
      this.weight(this.part("by-name").querySelector("input").value.trim());
    });
    on("upload", "change", () => this.upload());
    on("scrubber", "input", () => this.seek(Number(this.part("scrubber").value)));
    this.fillData();
  }

  fillData() {
    const select = this.part("data");
    const value = select.value;
    select.replaceChildren(
      ...this.about.sets.map((set) => option(`set:${set.name}`, set.title)),
      ...this.about.tables.map((table) => option(`table:${table.table}`, table.name)),
      ...Object.entries(this.about.models).map(([number, { name }]) =>
        option(`model:${number}`, `${name}, without a table`),
      ),
    );
    if (value) select.value = value;
  }

  /** A new run, in the place of the one before. */
  async begin(setup, playing = this.frame?.playing ?? this.wanted ?? true) {
    this.wanted = playing; // a change that comes before the first frame must not forget a pause
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.root.setAttribute("aria-busy", "true");
    try {
      const run = await api.post("runs", setup);
      if (turn !== this.turn) {
        api.post(`runs/${run.run}/end`); // another one was wished for meanwhile
        return true;
      }
      this.leave();
      this.show(run);
      this.listen();
      if (playing && run.told) await this.play(true);
      return true;
    } catch (failure) {
      this.wrong(failure);
      if (this.run) this.form.show(this.run);
      this.showData();
      return false;
    } finally {
      this.root.removeAttribute("aria-busy");
    }
  }

  leave() {
    this.stream?.abort();
    if (this.run) api.post(`runs/${this.run.run}/end`, {}, { keepalive: true }).catch(() => {});
  }

  close() {
    this.turn += 1;
    this.leave();
    this.root.remove();
  }

  show(run) {
    this.run = run;
    this.frame = null;
    this.past = null;
    for (const name of ["loss", "validation-loss", "score", "speed"]) write(this.part(name), "–");
    write(this.part("at-epoch"), "0");
    const { setup } = run;
    if (setup.data.set === undefined && this.part("pace").dataset.chosen === undefined)
      this.part("pace").value = "";
    const task = run.task === "regression" ? "Predict" : "Classify";
    const network = `${run.sizes.join("-")}, ${setup.activation}, ${setup.optimizer}`;
    write(this.part("title"), `${task} ${run.targets.join(", ")}: ${network}`);
    this.root.setAttribute("aria-label", `${this.name}: ${this.part("title").textContent}`);
    this.passes.close();
    this.warned = new Set();
    this.selected.begin(run);
    this.form.show(run);
    this.output = new Output(this.part("output"), this.part("output-title"), run, (row) =>
      this.chooseRow(row),
    );
    this.part("lost").hidden = true;
    this.diagram.begin(run);
    this.typed.show(run);
    this.showModel();
    this.showData();
    this.rows.show(run);
  }

  showData() {
    const data = this.run?.setup.data;
    if (!data) return;
    this.table = this.about.tables.find((table) => table.table === data.table);
    const drawn = data.drawn !== undefined;
    this.part("data").value = this.table
      ? `table:${data.table}`
      : drawn
        ? `model:${this.run.setup.model}`
        : `set:${data.set}`;
    this.part("target-field").hidden = !this.table;
    if (!this.table) return;
    const several = data.targets.length > 1 ? [data.targets] : []; // as the command asked for
    const targets = [...several, ...this.table.columns.map((name) => [name])];
    this.part("target").replaceChildren(
      ...targets.map((names) => option(JSON.stringify(names), names.join(", "))),
    );
    this.part("target").value = JSON.stringify(data.targets);
  }

  /** What is said of a trained model, and what one can do with it: without a table there is nothing to learn. */
  showModel() {
    const { told, members, setup } = this.run;
    const reason = "The model came without a table: there is nothing to learn from.";
    for (const name of ["play", "batch", "epoch", "pace", "scrubber"]) {
      this.part(name).disabled = !told;
      this.part(name).title = told ? "" : reason;
    }
    this.part("code").disabled = setup.model !== null;
    this.part("code").title =
      setup.model === null ? "" : "This network goes on from a model: export the model.";
    this.part("share").disabled = !told;
    this.part("share").title = told ? "" : "A link holds no model: send its file.";
    const one = members > 1 ? `One of the model's ${members} networks, the first, is shown.` : "";
    const drawn = told
      ? ""
      : `${reason} The first row below is typical, the others are drawn, column by column, from what its file ` +
        "knows; type in rows of your own. Open its table to go on learning.";
    write(this.part("model-said"), [drawn, one].filter(Boolean).join(" "));
    this.part("model-said").hidden = !(drawn || one);
    for (const name of ["curves-panel", "deltas-panel"]) this.part(name).hidden = !told;
  }

  async chooseData(value) {
    const [kind, name] = [value.slice(0, value.indexOf(":")), value.slice(value.indexOf(":") + 1)];
    const setup = { ...this.run.setup, model: null, loss: null };
    if (kind === "set") {
      const points =
        this.run.setup.data.set === undefined ? { rows: 400, noise: 0.1, seed: 0 } : this.run.setup.data;
      return this.begin({
        ...setup,
        data: { rows: points.rows, noise: points.noise, seed: points.seed, set: name },
      });
    }
    if (kind === "model") {
      const model = { ...this.about.start, model: name, loss: null, data: { drawn: 50 } };
      return this.begin(model, false);
    }
    const table = this.about.tables.find((one) => one.table === name);
    const model = this.run.told ? null : this.about.models[this.run.setup.model];
    // A table that has all that the model needs is what it was waiting for.
    if (model && [...model.columns, ...model.targets].every((column) => table.columns.includes(column))) {
      return this.begin({ ...this.run.setup, data: { table: name, targets: model.targets } }, false);
    }
    const begun = await this.begin({ ...setup, data: { table: name, targets: table.targets } });
    if (!begun) this.offerTargets(table);
    return begun;
  }

  /** The last column cannot be predicted: another one may. */
  offerTargets(table) {
    this.table = table;
    this.part("data").value = `table:${table.table}`;
    this.part("target-field").hidden = false;
    const others = table.columns.map((name) => option(JSON.stringify([name]), name));
    this.part("target").replaceChildren(
      html("option", { value: "", disabled: true, selected: true }, "choose…"),
      ...others,
    );
  }

  async upload() {
    const [file] = this.part("upload").files;
    this.part("upload").value = "";
    if (!file) return;
    try {
      const [most, size] = [this.about.limits.upload_bytes, file.size].map((bytes) =>
        (bytes / 1e6).toFixed(1),
      );
      if (file.size > this.about.limits.upload_bytes) {
        throw new Error(`A table to open here has at most ${most} MB; this one has ${size} MB.`);
      }
      const table = await api.upload(file);
      this.about.tables.push(table);
      this.onTables();
      if (!(await this.chooseData(`table:${table.table}`))) return;
      this.tell(
        `${table.name}: ${table.rows} rows. Target: ${this.run.targets.join(", ")}; choose another one.`,
      );
    } catch (failure) {
      this.wrong(failure);
    }
  }

  async listen() {
    const { run } = this;
    const stream = (this.stream = new AbortController());
    try {
      await api.listen(`runs/${run.run}/events`, (frame) => this.hear(frame), stream.signal);
    } catch (failure) {
      if (failure.name === "AbortError") return;
    }
    if (stream.signal.aborted || run !== this.run) return;
    this.frame = { ...this.frame, playing: false };
    const lost = this.part("lost");
    lost.replaceChildren(
      "The run has ended, or its server is gone. ",
      html("button", { type: "button", onclick: () => this.begin(run.setup, false) }, "Begin it anew"),
    );
    lost.hidden = false;
  }

  hear(frame) {
    this.frame = frame;
    if (frame.curve) this.past = { curve: frame.curve, moments: frame.moments };
    this.schedule();
  }

  schedule() {
    if (this.waiting || document.hidden || !this.frame) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.draw();
    });
  }

  draw() {
    const { frame } = this;
    if (!frame?.columns) return;
    if (this.lastError !== frame.error) {
      this.lastError = frame.error;
      if (frame.error) this.wrong(new Error(frame.error));
    }
    write(this.part("play"), frame.playing ? "Pause" : "Play");
    write(
      this.part("at-epoch"),
      `${frame.epoch.toLocaleString("en")}${frame.step ? ` + ${frame.step} steps` : ""}`,
    );
    write(this.part("loss"), said(frame.loss));
    write(this.part("validation-loss"), said(frame.validation_loss));
    write(this.part("score-name"), frame.scores.name);
    const score = frame.scores.name === "Accuracy" ? share : said;
    write(
      this.part("score"),
      frame.scores.validate === null
        ? score(frame.scores.learn)
        : `${score(frame.scores.learn)}, validating ${score(frame.scores.validate)}`,
    );
    write(this.part("speed"), frame.playing ? said(frame.speed, 3) : "–");
    if (frame.playing) this.passes.rest();
    this.diagram.draw(frame);
    this.output.draw(frame);
    charts.deltas(this.part("deltas"), frame.deltas);
    this.drawPast(frame);
    this.drawHints(frame.hints);
    this.selected.moved(frame);
    this.readRows(frame);
    this.onDrawn();
  }

  drawPast(frame) {
    const scrubber = this.part("scrubber");
    if (this.past && this.past !== this.pastDrawn) {
      this.pastDrawn = this.past;
      scrubber.max = this.past.moments.length - 1;
    }
    if (!this.past) return;
    const { moments } = this.past;
    if (document.activeElement !== scrubber || frame.playing)
      scrubber.value = frame.newest ? moments.length - 1 : nearest(moments, frame.epoch);
    const text = frame.newest
      ? `epoch ${frame.epoch}, the newest`
      : `epoch ${frame.epoch} of ${frame.last}: looking back. Play goes on from here and forgets the rest.`;
    write(this.part("scrub-said"), text);
    scrubber.setAttribute("aria-valuetext", text);
    const mark = `${frame.epoch}`;
    if (this.curveMark === mark && this.curveOf === this.past) return;
    if (frame.playing && this.curveOf === this.past) return;
    this.curveMark = mark;
    this.curveOf = this.past;
    charts.curves(this.part("curves"), this.past.curve, frame.epoch);
  }

  drawHints(hints) {
    const text = JSON.stringify(hints);
    if (text === this.hinted) return;
    this.hinted = text;
    // Said once in a run: evidence changes many times a second, and would never let a screen reader finish.
    const news = hints
      .filter((hint) => hint.level === "warning" && !this.warned.has(hint.title))
      .map((hint) => hint.title);
    news.forEach((title) => this.warned.add(title));
    if (news.length) this.tell(`${news.join(". ")}.`);
    this.part("hints-panel").hidden = !hints.length;
    this.part("hints").replaceChildren(
      ...hints.map((hint) =>
        html(
          "li",
          { class: hint.level },
          html("strong", {}, hint.title),
          html("p", {}, hint.evidence),
          html("p", {}, hint.advice),
        ),
      ),
    );
  }

  readRows(frame) {
    const mark = `${this.run.run},${frame.epoch},${frame.step},${frame.loss}`;
    if (mark === this.rowsRead || (frame.playing && performance.now() - (this.rowsAt ?? 0) < ROWS_AGAIN))
      return;
    this.rowsRead = mark;
    this.rowsAt = performance.now();
    this.rows.load();
    if (
      this.row !== null &&
      this.row !== undefined &&
      !frame.playing &&
      this.rowMark &&
      this.rowMark !== mark
    )
      this.loadPasses(this.row);
  }

  async tellRun(what, body = {}) {
    try {
      const frame = await api.post(`runs/${this.run.run}/${what}`, body);
      this.hear({ ...frame });
      return true;
    } catch (failure) {
      this.wrong(failure);
      return false;
    }
  }

  play(playing) {
    this.wanted = playing;
    const pace = this.part("pace").value;
    return this.tellRun("play", { playing, pace: pace ? Number(pace) : null });
  }

  /** Scrubbing asks for one moment at a time, the last one that was wished for. */
  async seek(place) {
    this.wished = this.past?.moments[place];
    if (this.seeking || this.wished === undefined) return;
    this.seeking = true;
    let asked;
    while (asked !== this.wished) {
      asked = this.wished;
      await this.tellRun("seek", { epoch: asked });
    }
    this.seeking = false;
  }

  openUnit(column, unit) {
    this.mark(null);
    this.selected.unit(column, unit);
  }

  weight(name) {
    this.mark(name);
    this.selected.weight(name);
  }

  /** Which weight is marked in the diagram. */
  mark(name) {
    this.diagram.selected = name;
    if (this.frame) this.diagram.draw(this.frame);
  }

  async chooseRow(row) {
    if (this.frame?.playing) await this.play(false);
    if (!(await this.loadPasses(row))) return;
    this.passes.come();
    await this.rows.choose(row);
  }

  async loadPasses(row) {
    try {
      const found = await api.get(`runs/${this.run.run}/row`, { row });
      this.rowChosen(row);
      if (!this.run.told && found.cells.length === this.run.fields?.length) this.typed.fill(found.cells);
      this.rowMark = this.rowsRead;
      this.passes.show(found, this.run);
      return true;
    } catch (failure) {
      this.wrong(failure);
      return false;
    }
  }

  rowChosen(row) {
    this.row = row;
    this.rows.chosen = row;
    this.output?.choose(row);
    if (row !== null) this.selected.choose(row);
  }

  shareSetup() {
    const setup = { ...this.run.setup, model: null };
    const told = btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(setup))))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
    const link = `${location.origin}${location.pathname}#setup=${told}`;
    history.replaceState(null, "", `#setup=${told}`);
    const how = "Add #setup=… to the link of any chainrule watch to see the same.";
    navigator.clipboard?.writeText(link).then(
      () => this.tell(`The set-up's link is copied. ${how}`),
      () => this.tell(`The set-up is in the address. ${how}`),
    );
  }

  async export() {
    try {
      const { blob, name } = await api.file(`runs/${this.run.run}/model`, "network.chainrule");
      save(blob, name);
      this.tell(`${name}: predict with it by chainrule predict ${name} TABLE`);
    } catch (failure) {
      this.wrong(failure);
    }
  }
}

function nearest(moments, epoch) {
  let place = 0;
  while (place + 1 < moments.length && moments[place + 1] <= epoch) place += 1;
  return place;
}
