// The network as a picture: lines are weights, tiles are units. Lines and tiles are painted on one canvas;
// over each tile lies a button, so that keyboards and screen readers reach every unit.

import { bytes, diverging, inkUpon, paint, theme } from "./colours.js";
import { html, said } from "./dom.js";

const ROW = 46; // pixels from unit to unit
const TILE = 34;
const TOP = 34;
const GAP = 26; // pixels that tiles of two columns keep at least
const NAMED = 110; // pixels from column to column that a name in one line needs
const HIT = 6;
const FINGER = 16; // a finger is less exact than a mouse
const PIXELS = 12; // along an edge of a unit's picture
const DELTA = { light: [155, 28, 107], dark: [245, 154, 208] };

export class Diagram {
  constructor(root, { onUnit, onWeight, onHold }) {
    this.root = root;
    this.onUnit = onUnit;
    this.onWeight = onWeight;
    this.canvas = html("canvas", { "aria-hidden": "true" });
    this.tip = html("p", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.buttons = html("div", { class: "units" });
    root.replaceChildren(this.canvas, this.buttons, this.tip);
    root.setAttribute("aria-label", "Network. Arrow keys go from unit to unit, Enter opens one.");
    this.scratch = html("canvas", { width: PIXELS, height: PIXELS });
    this.key = "";
    this.canvas.addEventListener("click", (event) => {
      const found = this.linkAt(event);
      if (found) this.onWeight(found.name);
    });
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => (this.tip.hidden = true));
    this.buttons.addEventListener("keydown", (event) => this.move(event));
    const folded = () => this.frame?.columns.some((column) => column.units.length < column.size);
    this.buttons.addEventListener("focusin", () => {
      if (!this.held && folded()) onHold((this.held = true));
    });
    this.buttons.addEventListener("focusout", (event) => {
      if (this.held && !this.buttons.contains(event.relatedTarget)) onHold((this.held = false));
    });
    new ResizeObserver(() => this.frame && this.draw(this.frame)).observe(root);
  }

  begin(run) {
    this.run = run;
    this.selected = null;
    this.held = false;
  }

  /** What a unit is called: inputs and outputs have names. */
  nameOf(column, c, unit, last) {
    const names = c === 0 ? this.run?.inputs : c === last ? this.run?.outputs : null;
    const name = names?.[unit];
    return `${column.name}, unit ${unit + 1} of ${column.size}${name ? `: ${name}` : ""}`;
  }

  draw(frame) {
    this.frame = frame;
    const { columns } = frame;
    const most = Math.max(...columns.map((column) => column.units.length));
    // On a narrow screen a deep network is wider than its panel, which then scrolls.
    const width = Math.max(this.root.clientWidth, columns.length * (TILE + GAP) + 60 - TILE);
    const height = TOP + most * ROW + 10;
    const ratio = devicePixelRatio || 1;
    if (
      this.canvas.width !== Math.round(width * ratio) ||
      this.canvas.height !== Math.round(height * ratio)
    ) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      this.key = "";
    }
    this.places = columns.map((column, c) => {
      const x = 30 + (c * (width - 60)) / Math.max(1, columns.length - 1);
      const lead = TOP + ((most - column.units.length) * ROW) / 2;
      return column.units.map((unit, k) => ({ x, y: lead + k * ROW + TILE / 2, unit: unit.unit }));
    });
    this.label(columns, width);
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.drawLinks(context, frame);
    this.drawUnits(context, frame);
    this.drawNames(context, columns);
  }

  /** Buttons over the tiles, made anew only where tiles moved or others are shown. */
  label(columns, width) {
    const key = JSON.stringify([width, columns.map((column) => column.units.map((unit) => unit.unit))]);
    if (key === this.key) return;
    this.key = key;
    const held = document.activeElement?.dataset?.unit;
    const focused = this.buttons.contains(document.activeElement);
    const last = columns.length - 1;
    this.buttons.replaceChildren(
      ...this.places.flatMap((places, c) =>
        places.map((place, k) => {
          const name = this.nameOf(columns[c], c, place.unit, last);
          const one = html("button", {
            type: "button",
            "aria-label": name,
            title: name,
            "data-place": `${c},${k}`,
            "data-unit": `${c},${place.unit}`,
            tabindex: c + k === 0 ? 0 : -1,
            onclick: () => this.onUnit(c, place.unit + 1),
          });
          one.style.left = `${place.x - TILE / 2}px`;
          one.style.top = `${place.y - TILE / 2}px`;
          return one;
        }),
      ),
    );
    if (focused) this.buttons.querySelector(`[data-unit="${held}"]`)?.focus({ preventScroll: true });
  }

  button(place) {
    return this.buttons.querySelector(`[data-place="${place}"]`);
  }

  /** Arrow keys: up and down within a layer, left and right to the nearest unit of the next one. */
  move(event) {
    const [c, k] = (event.target.dataset.place ?? "").split(",").map(Number);
    const steps = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
    if (!(event.key in steps) || Number.isNaN(c)) return;
    event.preventDefault();
    const [across, down] = steps[event.key];
    const column = this.places[c + across];
    if (!column) return;
    let to = k + down;
    if (across) {
      const y = this.places[c][k].y;
      to = column.reduce(
        (best, place, n) => (Math.abs(place.y - y) < Math.abs(column[best].y - y) ? n : best),
        0,
      );
    }
    const next = this.button(`${c + across},${to}`);
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  eachLink(frame, call) {
    frame.links.forEach((links, layer) => {
      const from = new Map(this.places[layer].map((place) => [place.unit, place]));
      const to = new Map(this.places[layer + 1].map((place) => [place.unit, place]));
      for (const [target, source, value] of links) call(from.get(source), to.get(target), value ?? 0, layer);
    });
  }

  drawLinks(context, frame) {
    const sizes = frame.links.map((links) => Math.max(1e-9, ...links.map((link) => Math.abs(link[2] ?? 0))));
    const stage = this.pass;
    this.eachLink(frame, (from, to, value, layer) => {
      const share = Math.abs(value) / sizes[layer];
      context.beginPath();
      trace(context, from, to);
      context.lineWidth = 0.4 + 4.6 * share;
      context.globalAlpha = 0.25 + 0.75 * share;
      context.strokeStyle = diverging(Math.sign(value) * (0.35 + 0.65 * share));
      if (stage) {
        const lit = stage.layer === layer;
        context.globalAlpha *= lit ? 1 : 0.25;
        if (lit && stage.backward) context.strokeStyle = delta();
      }
      context.stroke();
    });
    context.globalAlpha = 1;
    if (this.selected) {
      this.eachLink(frame, (from, to, value, layer) => {
        if (nameOf(layer, from, to) !== this.selected) return;
        context.beginPath();
        trace(context, from, to);
        context.lineWidth = 2;
        context.setLineDash([5, 4]);
        context.strokeStyle = theme().ink;
        context.stroke();
        context.setLineDash([]);
      });
    }
  }

  drawUnits(context, frame) {
    frame.columns.forEach((column, c) => {
      const shown = this.pass?.values(c, column);
      const size = shown
        ? Math.max(1e-9, ...shown.map(Math.abs))
        : Math.max(1e-9, ...column.units.map((u) => Math.abs(u.mean ?? 0)));
      column.units.forEach((unit, k) => {
        const { x, y } = this.places[c][k];
        const left = x - TILE / 2;
        const top = y - TILE / 2;
        const value = shown ? shown[k] : unit.mean;
        if (shown && this.pass.backwardAt(c)) {
          context.fillStyle = theme().paper;
          context.fillRect(left, top, TILE, TILE);
          context.globalAlpha = 0.15 + (0.85 * Math.abs(value)) / size;
          context.fillStyle = delta();
          context.fillRect(left, top, TILE, TILE);
          context.globalAlpha = 1;
        } else if (!shown && unit.heat) {
          paint(this.scratch, bytes(unit.heat), (byte) => theme().strong[byte]);
          context.imageSmoothingEnabled = true;
          context.drawImage(this.scratch, left, top, TILE, TILE);
        } else {
          context.fillStyle = value === null ? theme().paper : diverging(value / size);
          context.fillRect(left, top, TILE, TILE);
        }
        context.strokeStyle = theme().ink;
        context.lineWidth = 1;
        context.strokeRect(left + 0.5, top + 0.5, TILE - 1, TILE - 1);
        if (shown) {
          context.font = "10px system-ui, sans-serif";
          context.textAlign = "center";
          context.fillStyle = this.pass.backwardAt(c)
            ? Math.abs(value) > 0.6 * size
              ? theme().paper
              : theme().ink
            : inkUpon(value / size);
          context.fillText(said(value, 2), x, y + 3.5, TILE - 4);
        }
      });
    });
  }

  drawNames(context, columns) {
    context.fillStyle = theme().ink;
    context.font = "13px system-ui, sans-serif";
    const apart = this.places.length > 1 ? this.places[1][0].x - this.places[0][0].x : Infinity;
    columns.forEach((column, c) => {
      const folded = column.size > column.units.length;
      const size = folded ? `${column.units.length} of ${column.size}` : `${column.size}`;
      context.textAlign = c === 0 ? "left" : c === columns.length - 1 ? "right" : "center";
      const x = this.places[c][0].x + (c === 0 ? -TILE / 2 : c === columns.length - 1 ? TILE / 2 : 0);
      if (apart > NAMED) {
        context.fillText(`${column.name} · ${size}`, x, 16);
        return;
      }
      context.fillText(column.name, x, 12); // in two lines where columns are close
      context.fillText(size, x, 26, apart - 4);
    });
  }

  linkAt(event) {
    if (!this.frame) return null;
    const box = this.canvas.getBoundingClientRect();
    const at = { x: event.clientX - box.left, y: event.clientY - box.top };
    const near = event.pointerType === "touch" ? FINGER : HIT;
    let found = null;
    this.eachLink(this.frame, (from, to, value, layer) => {
      const far = distance(at, from, to, near);
      if (far < (found?.far ?? near)) found = { far, value, name: nameOf(layer, from, to) };
    });
    return found;
  }

  hover(event) {
    const found = this.linkAt(event);
    this.tip.hidden = !found;
    this.canvas.style.cursor = found ? "pointer" : "";
    if (!found) return;
    const box = this.canvas.getBoundingClientRect();
    this.tip.textContent = `${found.name} = ${said(found.value)}`;
    this.tip.style.left = `${Math.min(event.clientX - box.left + 12, box.width - 140)}px`;
    this.tip.style.top = `${Math.min(event.clientY - box.top + 12, box.height - 28)}px`;
  }
}

const delta = () => `rgb(${(theme().paper === "#ffffff" ? DELTA.light : DELTA.dark).join(" ")})`;
const nameOf = (layer, from, to) => `W${layer + 1}[${to.unit + 1},${from.unit + 1}]`;

function trace(context, from, to) {
  const bend = (to.x - from.x) / 2;
  const [x, end] = [from.x + TILE / 2, to.x - TILE / 2];
  context.moveTo(x, from.y);
  context.bezierCurveTo(x + bend / 2, from.y, end - bend / 2, to.y, end, to.y);
}

/** How far a point is from a line, in pixels, by points along it. */
function distance(at, from, to, near) {
  const [x, end] = [from.x + TILE / 2, to.x - TILE / 2];
  if (at.x < x - near || at.x > end + near) return Infinity;
  const bend = (to.x - from.x) / 4;
  let least = Infinity;
  for (let k = 0; k <= 24; k += 1) {
    const t = k / 24;
    const [a, b, c, d] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
    const px = a * x + b * (x + bend) + c * (end - bend) + d * end;
    const py = (a + b) * from.y + (c + d) * to.y;
    least = Math.min(least, Math.hypot(px - at.x, py - at.y));
  }
  return least;
}
