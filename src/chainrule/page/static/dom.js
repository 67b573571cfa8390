// Small helpers to make elements and to write numbers.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  // Text goes in as text nodes: what a table says can never become markup.
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const html = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

export const button = (text, onclick, attributes = {}) =>
  html("button", { type: "button", onclick, ...attributes }, text);

export const option = (value, text = value) => html("option", { value }, text);

/**
 * Put new children in the place of the old. Who is at a part that is marked with data-keep stays there: the focus,
 * what is typed and not yet set, and how far it is scrolled. Numbers that move must not throw a reader out.
 */
export function renew(root, ...children) {
  const kept = (name) => root.querySelector(`[data-keep="${CSS.escape(name)}"]`);
  const active = root.contains(document.activeElement) ? document.activeElement : null;
  const held = active?.dataset.keep;
  const typed =
    active?.matches("input[type=number]") && active.value !== active.defaultValue ? active.value : null;
  const scrolled = [...root.querySelectorAll("[data-keep]")]
    .filter((one) => one.scrollTop || one.scrollLeft)
    .map((one) => [one.dataset.keep, one.scrollTop, one.scrollLeft]);
  root.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
  for (const [name, top, left] of scrolled) kept(name)?.scrollTo({ top, left, behavior: "instant" });
  if (held === undefined) return;
  const again = kept(held);
  if (again && typed !== null) again.value = typed;
  // What is gone or of no use now leaves the focus nearby, not at the top of the page.
  const there = again && !again.disabled ? again : root.querySelector("input, select, button:not(:disabled)");
  there?.focus({ preventScroll: true });
}

/** Write text only where it changes, so that nothing is laid out or read out again for nothing. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A number for people: four digits that matter, a true minus sign, a dash where there is none. */
export function said(value, digits = 4) {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : "infinite";
  const size = Math.abs(value);
  let text;
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) {
    const [base, power] = value.toExponential(Math.max(0, digits - 2)).split("e");
    text = `${base}e${Number(power)}`;
  } else {
    text = String(Number(value.toPrecision(digits)));
  }
  return text.replaceAll("-", "−");
}

export const share = (value) =>
  value === null || value === undefined ? "–" : `${(100 * value).toFixed(1)} %`;

/** Superscript digits, as layers are written in formulas. */
export const raised = (number) => [...String(number)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");

/** Hand a file to the reader. */
export function save(blob, name) {
  const link = html("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
