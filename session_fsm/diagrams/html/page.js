"use strict";
// The page knows the table and shows what was written into it. Whether a rule allows something was judged before.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const named = (id) => document.getElementById(id);
  const { start, edges, history } = JSON.parse(named("data").textContent);
  const isState = (name) => all("[data-panel]").some((panel) => panel.dataset.panel === name);

  const frame = document.querySelector(".scroll"); // what the picture scrolls in
  let here = start; // the state that is shown: its name, or "new"
  let began = start; // where the way began
  let way = []; // the edges that were followed since
  let at = history.length - 1; // which moment of the history is shown

  function show(marked) {
    for (const panel of all("[data-panel]")) panel.hidden = panel.dataset.panel !== here;
    for (const pick of all("[data-pick]")) {
      if (pick.dataset.pick === here) pick.setAttribute("aria-current", "true");
      else pick.removeAttribute("aria-current");
    }
    for (const shape of all(".fsm [data-state]")) shape.classList.toggle("is-here", shape.dataset.state === here);
    for (const shape of all(".fsm [data-edge]")) {
      const leaves = (shape.dataset.source || "new") === here;
      shape.classList.toggle("is-exit", leaves);
      shape.classList.toggle("is-marked", marked.includes(shape.dataset.edge));
      shape.setAttribute("role", leaves ? "button" : "img");
      if (leaves) shape.setAttribute("tabindex", "0");
      else shape.removeAttribute("tabindex");
    }
    const shown = all(".fsm .is-here")[0];
    if (shown) {
      // Where the picture is wider than the screen, the state comes into view; the page itself stays where it is.
      const [box, room] = [shown.getBoundingClientRect(), frame.getBoundingClientRect()];
      frame.scrollLeft += box.left + box.width / 2 - room.left - room.width / 2;
    }
    named("trail").textContent = [began, ...way.map((edge) => `${edge.trigger} → ${edge.target}`)].join(" → ");
    named("undo").disabled = way.length === 0;
  }

  // Where the picture is wider than the screen, it fades at the sides to which it goes on.
  function fade() {
    frame.classList.toggle("at-start", frame.scrollLeft < 1);
    frame.classList.toggle("at-end", frame.scrollWidth - frame.clientWidth - frame.scrollLeft < 1);
  }

  function tell(words) {
    const leaving = edges.filter((edge) => edge.source === here).map((edge) => edge.trigger);
    const on = leaving.length ? `From here: ${[...new Set(leaving)].join(", ")}.` : "No transition leaves this state.";
    named("said").textContent = `${words} ${on}`;
  }

  function pick(state) {
    here = began = state;
    way = [];
    show([]);
    tell(state === "new" ? "No session yet." : `In ${state}.`);
  }

  function follow(id) {
    const edge = edges.find((one) => one.id === id && one.source === here);
    if (!edge) return false;
    way.push(edge);
    here = edge.target;
    show([id]);
    tell(`${edge.trigger}: now ${here}.`);
    return true;
  }

  function undo() {
    way.pop();
    const last = way.at(-1);
    here = last ? last.target : began;
    show(last ? [last.id] : []);
    tell(`Back in ${here}.`);
    if (named("undo").disabled) named("restart").focus();
  }

  function step(to) {
    at = Math.max(0, Math.min(history.length - 1, to));
    const moment = history[at];
    here = began = moment.state;
    way = [];
    show(moment.edges);
    mark();
    named("step").textContent = `${moment.label}: ${moment.text}`;
  }

  function mark() {
    all("#moments li").forEach((item, place) => {
      if (place === at) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
    const done = { first: at === 0, back: at === 0, next: at === history.length - 1, last: at === history.length - 1 };
    for (const button of all("[data-step]")) button.setAttribute("aria-disabled", done[button.dataset.step]);
  }

  // What is picked in the picture keeps the focus there; what is followed in the text goes on in the text.
  function choose(target, inPicture) {
    const chosen = target.closest("[data-follow], [data-pick], [data-edge], [data-state]");
    if (!chosen) return false;
    const id = chosen.dataset.follow ?? chosen.dataset.edge;
    if (id === undefined) pick(chosen.dataset.pick ?? chosen.dataset.state);
    else if (!follow(id)) return false;
    const shape = all(".fsm [data-state]").find((one) => one.dataset.state === here);
    if (inPicture && shape) shape.focus();
    else if (chosen.dataset.follow !== undefined) named(`state-${here}`).focus();
    return true;
  }

  document.addEventListener("click", (event) => {
    const inPicture = event.target.closest(".fsm") !== null;
    if (choose(event.target, inPicture)) event.preventDefault();
  });

  named("picture").addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && choose(event.target, true)) event.preventDefault();
  });

  frame.addEventListener("scroll", fade, { passive: true });
  window.addEventListener("resize", fade);

  named("undo").addEventListener("click", undo);
  named("restart").addEventListener("click", () => pick("new"));

  if (history.length) {
    const moves = { first: () => 0, back: () => at - 1, next: () => at + 1, last: () => history.length - 1 };
    const keys = { Home: "first", ArrowLeft: "back", ArrowUp: "back", ArrowRight: "next", ArrowDown: "next", End: "last" };
    named("moments").tabIndex = 0;
    const onKey = (event) => {
      if (!Object.hasOwn(keys, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      step(moves[keys[event.key]]());
    };
    document.querySelector(".steps").addEventListener("click", (event) => {
      const button = event.target.closest("[data-step]");
      if (button) step(moves[button.dataset.step]());
    });
    named("moments").addEventListener("click", (event) => {
      const item = event.target.closest("#moments li");
      if (item) step(all("#moments li").indexOf(item));
    });
    document.querySelector(".steps").addEventListener("keydown", onKey);
    named("moments").addEventListener("keydown", onKey);
    mark();
  }

  for (const shape of all(".fsm [data-state]")) {
    shape.setAttribute("role", "button");
    shape.setAttribute("tabindex", "0");
  }
  for (const part of all(".play")) part.hidden = false;
  document.body.classList.add("plays");
  const wanted = window.location.hash.replace(/^#state-/, "");
  if (isState(wanted)) here = began = wanted;
  show([]);
  fade();
})();
