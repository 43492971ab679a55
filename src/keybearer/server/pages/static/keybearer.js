// What pages do better with a script: copying, dialogs, the focus on errors. Every page works without it.
"use strict";

const announcer = document.querySelector("[data-announcer]");

function announce(text) {
  announcer.textContent = "";
  requestAnimationFrame(() => { announcer.textContent = text; });
}

async function copy(button) {
  const shown = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(shown.textContent);
  } catch {
    const range = document.createRange();
    range.selectNodeContents(shown);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    announce("Copying is not allowed here. The text is selected: press Ctrl or Command and C.");
    return;
  }
  announce(button.dataset.copied);
  const before = button.innerHTML;
  button.textContent = "Copied";
  button.classList.add("copied");
  setTimeout(() => { button.innerHTML = before; button.classList.remove("copied"); }, 2000);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

// A dialog comes open in the page; with a script it becomes a modal one, and Escape does what its Close does.
for (const dialog of document.querySelectorAll("dialog[data-modal][open]")) {
  dialog.close();
  dialog.showModal();
  dialog.append(announcer); // what is outside a modal dialog is not read out
  dialog.addEventListener("cancel", () => dialog.querySelector("a[data-close]")?.click());
}

// A part of a form that belongs to one choice is shown, and sent, only while that choice is made.
for (const part of document.querySelectorAll("[data-when]")) {
  const [name, value] = part.dataset.when.split("=");
  const form = part.closest("form");
  const follow = () => {
    const isChosen = form.elements[name].value === value;
    part.hidden = !isChosen;
    part.disabled = !isChosen;
  };
  form.addEventListener("change", follow);
  addEventListener("pageshow", follow);
  follow();
}

// A sentence that tells what has been chosen so far.
for (const words of document.querySelectorAll("[data-says-of]")) {
  const form = words.closest("form");
  const follow = () => {
    const chosen = form.querySelector(`[name="${words.dataset.saysOf}"]:checked`);
    if (chosen) words.textContent = chosen.dataset.says;
  };
  form.addEventListener("change", follow);
  addEventListener("pageshow", follow);
  follow();
}

for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) { menu.open = false; menu.querySelector("summary").focus(); }
  });
}

document.querySelector("[data-focus]")?.focus();

// What was ended may be accepted for some seconds more: the line that says so is asked for until it says that it is over.
async function follow(line) {
  while (line.dataset.ending === "waiting") {
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const told = page.querySelector("[data-ending]");
    if (!told) return; // shown in another window, or on another page
    line.replaceChildren(...told.childNodes);
    line.dataset.ending = told.dataset.ending;
    if (told.dataset.ending === "over") announce(line.textContent);
  }
}
const ending = document.querySelector("[data-ending=waiting]");
if (ending) follow(ending).catch(() => { /* the link in the line is left */ });

// A click that was meant for another window must not let an app in: the buttons wait until the page has been in sight
// for a second.
for (const form of document.querySelectorAll("form[data-arm]")) {
  const buttons = form.querySelectorAll("button");
  let timer, held;
  const arm = () => {
    if (document.hidden) return;
    held = [...buttons].find((button) => button === document.activeElement) ?? held;
    for (const button of buttons) button.disabled = true;
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const button of buttons) button.disabled = false;
      if (document.activeElement === document.body) held?.focus();
      held = undefined;
    }, 1000);
  };
  arm();
  window.addEventListener("focus", arm);
  document.addEventListener("visibilitychange", arm);
}

// A second press while the first is under way would do the same thing twice.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A language of examples is chosen once: for every example of the page, and for the next page.
const languages = [...document.querySelectorAll(".examples input[data-language]")];
function choose(language) {
  for (const input of languages) if (input.dataset.language === language) input.checked = true;
}
for (const input of languages) {
  input.addEventListener("change", () => {
    const above = input.getBoundingClientRect().top;
    choose(input.dataset.language);
    scrollBy(0, input.getBoundingClientRect().top - above);
    try { localStorage.setItem("language", input.dataset.language); } catch { /* not kept, then */ }
  });
}
if (languages.length) {
  try { choose(localStorage.getItem("language")); } catch { /* the first stays chosen */ }
}
