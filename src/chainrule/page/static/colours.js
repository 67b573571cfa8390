// The diverging scale, orange (low) over the paper to blue (high), which all kinds of colour vision tell apart.

const THEMES = {
  light: {
    low: [176, 74, 0],
    middle: [247, 247, 247],
    high: [10, 95, 176],
    paper: "#ffffff",
    ink: "#1c2128",
  },
  dark: {
    low: [255, 161, 99],
    middle: [29, 34, 41],
    high: [116, 182, 248],
    paper: "#14171c",
    ink: "#e6e9ed",
  },
};
// More than two classes: colours of Okabe and Ito, chosen to be told apart by all.
const CLASSES = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [86, 180, 233],
  [213, 94, 0],
  [150, 140, 20],
  [120, 120, 120],
];
const SOFT = 0.55;
const dark = matchMedia("(prefers-color-scheme: dark)");

const mixed = (from, to, share) => from.map((value, k) => Math.round(value + (to[k] - value) * share));
const css = (colour) => `rgb(${colour.join(" ")})`;

function scale(theme, strength) {
  return Array.from({ length: 256 }, (_, byte) => {
    const from = (byte - 128) / 127;
    return mixed(theme.middle, from < 0 ? theme.low : theme.high, Math.min(1, Math.abs(from)) * strength);
  });
}

const made = Object.fromEntries(
  Object.entries(THEMES).map(([name, theme]) => [
    name,
    { ...theme, strong: scale(theme, 1), soft: scale(theme, SOFT) },
  ]),
);

export const theme = () => made[dark.matches ? "dark" : "light"];
export const onTheme = (call) => dark.addEventListener("change", call);

/** The colour of a value between −1 and 1. */
export const diverging = (value) => css(theme().strong[toByte(value)]);
export const toByte = (value) => Math.round(128 + 127 * Math.max(-1, Math.min(1, value || 0)));

/** Ink that can be read upon that colour. */
export const inkUpon = (value) => (Math.abs(value || 0) > 0.55 ? theme().paper : theme().ink);

export const ofClass = (number) => css(CLASSES[number % CLASSES.length]);
export const softClass = (number) =>
  mixed(made[dark.matches ? "dark" : "light"].middle, CLASSES[number % CLASSES.length], SOFT);

export function bytes(base64) {
  const text = atob(base64);
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Paint bytes as pixels of a canvas that is as large as they are. */
export function paint(canvas, values, colourOf) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  for (let k = 0; k < values.length; k += 1) {
    const [red, green, blue] = colourOf(values[k]);
    image.data.set([red, green, blue, 255], 4 * k);
  }
  context.putImageData(image, 0, 0);
}
