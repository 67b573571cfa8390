// Charts as SVG: curves over epochs, points, bars. Each says in words what it shows.

import { html, said, svg } from "./dom.js";

const SIZE = { width: 360, height: 170, left: 46, right: 10, top: 8, bottom: 24 };

const finite = (value) => value !== null && Number.isFinite(value);

function ticks(low, high, count) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step)
    found.push(value);
  return found;
}

function frameOf(xs, ys, names, log = false) {
  const { width, height, left, right, top, bottom } = SIZE;
  const up = (value) => (log ? Math.log10(Math.max(value, 1e-12)) : value);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const told = ys.filter(finite).map(up);
  let [y0, y1] = told.length ? [Math.min(...told), Math.max(...told)] : [0, 1];
  if (y1 - y0 < 1e-12) [y0, y1] = [y0 - 0.5, y1 + 0.5];
  const x = (value) => left + ((value - x0) / (x1 - x0 || 1)) * (width - left - right);
  const y = (value) => top + (1 - (up(value) - y0) / (y1 - y0)) * (height - top - bottom);
  const lines = ticks(y0, y1, 3).map((tick) => {
    const place = top + (1 - (tick - y0) / (y1 - y0)) * (height - top - bottom);
    return svg(
      "g",
      {},
      svg("line", { class: "grid", x1: left, x2: width - right, y1: place, y2: place }),
      svg("text", { x: left - 6, y: place + 4, "text-anchor": "end" }, said(log ? 10 ** tick : tick, 2)),
    );
  });
  const below = (x0 === x1 ? [x0] : [x0, x1]).map((value, k) =>
    svg("text", { x: x(value), y: height - 8, "text-anchor": k ? "end" : "start" }, said(value, 4)),
  );
  const middle = svg(
    "text",
    { class: "name", x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" },
    names,
  );
  return { x, y, parts: [...lines, ...below, middle] };
}

const picture = (label, ...parts) =>
  svg("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: "img", "aria-label": label }, ...parts);

function lineOf(xs, ys, x, y) {
  let path = "";
  xs.forEach((at, k) => {
    if (finite(ys[k]))
      path += `${path && finite(ys[k - 1]) ? "L" : "M"}${x(at).toFixed(1)} ${y(ys[k]).toFixed(1)}`;
  });
  return path;
}

/** The losses over the epochs, on a logarithmic scale, with a mark where one looks. */
export function curves(root, curve, epoch) {
  const { epoch: xs, loss, validation } = curve;
  const validates = validation.some(finite);
  const positive = [...loss, ...validation].every((value) => !finite(value) || value > 0);
  const { x, y, parts } = frameOf(xs, [...loss, ...validation], "epoch", positive);
  const now = x(Math.min(Math.max(epoch, xs[0]), xs.at(-1)));
  const last = (values) => said(values.filter(finite).at(-1) ?? null);
  const judged = validates ? `, validating ${last(validation)}` : "";
  const label = `Loss over ${xs.at(-1)} epochs: learnt ${last(loss)}${judged}.`;
  root.replaceChildren(
    picture(
      label,
      ...parts,
      svg("line", { class: "here", x1: now, x2: now, y1: SIZE.top, y2: SIZE.height - SIZE.bottom }),
      svg("path", { class: "line one", d: lineOf(xs, loss, x, y) }),
      validates ? svg("path", { class: "line two", d: lineOf(xs, validation, x, y) }) : null,
    ),
    html(
      "p",
      { class: "key soft" },
      html("span", { class: "one" }, "rows that are learnt from"),
      validates ? html("span", { class: "two" }, "rows that validate") : null,
    ),
  );
}

/** One number over the epochs. */
export function history(xs, ys, name) {
  const { x, y, parts } = frameOf(xs, ys, "epoch");
  const label = `${name} from epoch ${xs[0]} to ${xs.at(-1)}: from ${said(ys[0])} to ${said(ys.at(-1))}.`;
  const dots =
    xs.length === 1 ? [svg("circle", { class: "spot one", cx: x(xs[0]), cy: y(ys[0]), r: 3 })] : [];
  return picture(label, ...parts, svg("path", { class: "line one", d: lineOf(xs, ys, x, y) }), ...dots);
}

/** Truth across, prediction upwards: on the diagonal they agree. Of several targets, each has its name. */
export function answers(points, name, several) {
  const all = points.flatMap(([truth, answer]) => [truth, answer]).filter(finite);
  const { x, y, parts } = frameOf(all, all, `true ${name}`);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const spots = points
    .filter(([, answer]) => finite(answer))
    .map(([truth, answer, validates]) =>
      svg("circle", {
        class: validates ? "ring" : "spot one",
        cx: x(truth),
        cy: y(answer),
        r: validates ? 3 : 2.2,
      }),
    );
  const diagonal = svg("path", { class: "dashed", d: lineOf([low, high], [low, high], x, y) });
  return [
    several ? html("h4", {}, name) : "",
    picture(`Prediction over truth of ${name} for ${points.length} rows.`, ...parts, diagonal, ...spots),
    html(
      "p",
      { class: "key soft" },
      html("span", { class: "one" }, "learnt from"),
      html("span", { class: "ring-key" }, "validates"),
      " predicted upwards; on the dashed line it is right",
    ),
  ];
}

/** A loss of each of two runs, on one scale: the second is dashed, and each line has its name at its end. */
export function twoLines(lines, which) {
  const xs = lines.flatMap((line) => line.epochs);
  const ys = lines.flatMap((line) => line.values);
  const positive = ys.every((value) => !finite(value) || value > 0);
  const { x, y, parts } = frameOf(xs, ys, "epoch", positive);
  const ends = lines.map(({ epochs, values }) => {
    const k = values.findLastIndex(finite);
    return k < 0 ? null : { x: x(epochs[k]), y: y(values[k]), value: values[k] };
  });
  // Names that would lie upon each other are moved apart.
  const apart =
    ends[0] && ends[1] && Math.abs(ends[0].x - ends[1].x) < 70 && Math.abs(ends[0].y - ends[1].y) < 13;
  const upper = apart && ends[0].y > ends[1].y ? 1 : 0;
  const drawn = lines.flatMap(({ name, epochs, values }, k) => {
    if (!ends[k]) return [];
    const mark = ["one", "two"][k];
    const place = ends[k].y + (apart ? (k === upper ? -5 : 12) : -5);
    const text = {
      class: `name ${mark}`,
      x: Math.max(ends[k].x, 90),
      y: Math.max(place, 10),
      "text-anchor": "end",
    };
    return [svg("path", { class: `line ${mark}`, d: lineOf(epochs, values, x, y) }), svg("text", text, name)];
  });
  const told = lines.map(
    ({ name, epochs }, k) => `${name} ${said(ends[k]?.value ?? null)} after ${epochs.at(-1)} epochs`,
  );
  return picture(`Losses of the ${which}: ${told.join(", ")}.`, ...parts, ...drawn);
}

/** Counts between edges. */
export function histogram({ edges, counts }, name) {
  const most = Math.max(1, ...counts);
  const { x, y, parts } = frameOf(edges, [0, most], name);
  const bars = counts.map((count, k) =>
    svg("rect", {
      class: "bar one",
      x: x(edges[k]),
      y: y(count),
      width: Math.max(0.5, x(edges[k + 1]) - x(edges[k]) - 0.8),
      height: Math.max(0, y(0) - y(count)),
    }),
  );
  const [low, high, often] = [edges[0], edges.at(-1), edges[counts.indexOf(most)]].map((edge) => said(edge));
  const label = `What the unit says of the rows: from ${low} to ${high}, most often near ${often}.`;
  return picture(label, ...parts, ...bars);
}

/** How large δ is in each layer, on a logarithmic scale of eight powers of ten below the largest. */
export function deltas(root, layers) {
  const sizes = layers.map((layer) => layer.size ?? 0);
  const most = Math.max(...sizes, 1e-30);
  if (root.children.length !== layers.length) {
    root.replaceChildren(
      ...layers.map(() => html("li", {}, html("span", { class: "bar" }), html("span", { class: "what" }))),
    );
  }
  layers.forEach((layer, k) => {
    const [bar, what] = root.children[k].children;
    const share = sizes[k] > 0 ? Math.max(0.01, 1 + Math.log10(sizes[k] / most) / 8) : 0;
    bar.style.width = `${(100 * share).toFixed(1)}%`;
    const text = `layer ${layer.layer}: ${said(layer.size, 3)}`;
    if (what.textContent !== text) what.textContent = text;
  });
}
