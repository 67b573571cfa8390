// The page: what it begins with, a second run beside the first, and what is said of all.

import { get, takeToken } from "./api.js";
import { Compared } from "./compared.js";
import { calm, save, write } from "./dom.js";
import { RunView } from "./runview.js";

const views = [];
const runs = document.getElementById("runs");
const template = runs.querySelector(".run").cloneNode(true);
const compared = new Compared(document.getElementById("compared"));
let about;

function wrong(failure) {
  const box = document.getElementById("wrong");
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Close";
  close.addEventListener("click", () => box.replaceChildren());
  box.replaceChildren(failure.message, " ", close);
}

function tell(text) {
  const said = document.getElementById("said");
  said.textContent = text;
  said.classList.add("seen");
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => said.classList.remove("seen"), 6000);
}

function showCode(text, name) {
  const dialog = document.getElementById("code");
  dialog.querySelector("code").textContent = text;
  dialog.querySelector('[data-part="copy"]').onclick = () =>
    navigator.clipboard?.writeText(text).then(() => tell("Copied."));
  dialog.querySelector('[data-part="download"]').onclick = () =>
    save(new Blob([text], { type: "text/x-python" }), name);
  dialog.showModal();
}

function view(root) {
  const one = new RunView(root, {
    name: views.length ? "Second run" : "First run",
    about,
    wrong,
    tell,
    showCode,
    onDrawn: () => together(),
    onTables: () => views.forEach((each) => each.fillData()),
  });
  views.push(one);
  return one;
}

const toldSetup = () => new URLSearchParams(location.hash.slice(1)).get("setup");

/** A set-up that somebody shared, or the one that the command begins with. */
function firstSetup() {
  const told = toldSetup();
  if (!told) return about.start;
  try {
    const bytes = Uint8Array.from(atob(told.replaceAll("-", "+").replaceAll("_", "/")), (letter) =>
      letter.charCodeAt(0),
    );
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    wrong(new Error("The set-up in this link cannot be read; the usual one is shown."));
    return about.start;
  }
}

const anyPlays = () => views.some((one) => one.frame?.playing);

function compare() {
  const second = template.cloneNode(true);
  runs.append(second);
  const one = view(second);
  const close = one.part("close");
  close.hidden = false;
  close.addEventListener("click", () => {
    views.splice(views.indexOf(one), 1);
    one.close();
    together();
    document.getElementById("compare").focus();
  });
  together();
  one.begin({ ...views[0].run.setup, seed: views[0].run.setup.seed + 1 }, false);
  second.scrollIntoView({ block: "nearest" });
}

/** What is of both runs, whenever one of them has changed. */
function together() {
  const two = views.length > 1;
  write(document.getElementById("both"), anyPlays() ? "Pause both" : "Play both");
  compared.show(two);
  compared.draw(views);
  runs.classList.toggle("two", two);
  document.getElementById("compare").hidden = two;
  document.getElementById("both").hidden = !two;
}

document.getElementById("compare").addEventListener("click", compare);
document.getElementById("both").addEventListener("click", () => {
  const playing = !anyPlays();
  views.filter((one) => one.run?.told || !playing).forEach((one) => one.play(playing));
});
addEventListener("pagehide", () => views.forEach((one) => one.leave()));
// A page that comes back from the browser's memory begins its runs anew.
addEventListener(
  "pageshow",
  (event) => event.persisted && views.forEach((one) => one.begin(one.run.setup, false)),
);

// Whoever chooses anew is done with what was wrong before.
addEventListener("change", () => document.getElementById("wrong").replaceChildren(), { capture: true });
// A shared set-up that is put into this page's own address loads nothing by itself.
addEventListener("hashchange", () => toldSetup() && views[0]?.begin(firstSetup()));

takeToken();
try {
  about = await get("about");
  const first = view(runs.querySelector(".run"));
  const setup = firstSetup();
  // Nothing moves by itself for those who want little motion.
  await first.begin(setup, !calm());
  if (!first.run && setup !== about.start) await first.begin(about.start, !calm());
  // A table that cannot be learnt from is told; another column may be predicted, and a classic set is there meanwhile.
  if (!first.run && (await first.begin({ ...about.start, data: undefined, model: null, loss: null }, !calm())))
    about.tables.slice(0, 1).forEach((table) => first.offerTargets(table));
} catch (failure) {
  wrong(failure);
  if (!views[0]?.run) {
    write(runs.querySelector('[data-part="title"]'), "There is no run to watch");
    runs.inert = document.getElementById("compare").hidden = true;
  }
}
