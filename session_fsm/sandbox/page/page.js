"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const main = $("main");
  const TRIGGERS = ["update", "close", "cancel", "return_items", "reopen"];
  const LABELS = { create: "Create", update: "Update", close: "Close", cancel: "Cancel", return_items: "Return items", reopen: "Reopen" };
  const state = { about: null, clock: null, sessions: [], faults: [], requests: [], total: 0, detail: null, route: null, trigger: null, result: null, seen: new Map() };

  // --- Elements: every text becomes a text node, never markup.

  function h(tag, properties, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "class") element.className = value;
      else if (name === "value") element.value = value;
      else element.setAttribute(name, value === true ? "" : value);
    }
    for (const child of children.flat()) if (child !== null && child !== undefined && child !== false) element.append(child);
    return element;
  }
  const bdi = (text, className) => h("bdi", { class: className }, String(text));
  const pill = (name) => h("span", { class: `pill ${name || "new"}` }, (name || "new").replace("_", " "));
  const plural = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

  /** Draw anew only what has changed: whoever is about to click keeps the element. */
  const drawn = new WeakMap();
  function isDrawn(element, ...content) {
    const key = JSON.stringify(content);
    if (drawn.get(element) === key) return true;
    drawn.set(element, key);
    return false;
  }

  /** Replace the children of an element, and keep the focus on the element with the same key. */
  function fill(parent, ...children) {
    const key = document.activeElement && parent.contains(document.activeElement) && document.activeElement.dataset.key;
    parent.replaceChildren(...children.flat().filter(Boolean));
    if (key) [...parent.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key)?.focus();
  }

  // --- Requests. Numbers stay as they were written, so that no amount is rounded.

  const exact = (_, value, context) => (typeof value === "number" && context && context.source !== undefined && !Number.isSafeInteger(value) ? context.source : value);
  const parsed = (text) => JSON.parse(text, exact);
  async function control(path, method = "GET", body = undefined) {
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    const answer = await fetch(`sandbox/${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    const document = text ? parsed(text) : null;
    if (!answer.ok) throw new Error(reasons(document).join(" ") || `Status ${answer.status}`);
    return document;
  }
  function reasons(envelope) {
    const entries = (envelope && envelope.errors) || [];
    const places = entries.map((one) => `${one.details || one.title}${one.source && one.source.pointer ? ` (at ${one.source.pointer})` : ""}`);
    return places.length ? places : envelope && envelope.message ? [envelope.message] : [];
  }
  const query = (values) => new URLSearchParams(values).toString().replaceAll("+", "%20");
  function say(text) {
    $("toast").textContent = text;
    $("toast").hidden = false;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => { $("toast").hidden = true; }, 4000);
  }
  const guarded = (act) => (...given) => act(...given).catch((error) => say(error.message));

  // --- Times and amounts

  const time = (text) => { const when = new Date(text); return h("time", { datetime: text, class: "fine mono", title: text }, Number.isNaN(when.getTime()) ? text : text.slice(0, 19).replace("T", " ")); };
  function amount(value) {
    const [whole, part = ""] = String(value).split(".");
    return `${whole}.${part.replace(/0+$/, "").padEnd(2, "0")}`;
  }
  const short = (text) => text.length > 60 ? `${text.slice(0, 57)}…` : text;

  // --- The clock

  let read = 0;
  const sandboxTime = () => new Date(Date.parse(state.clock.now) + (state.clock.running ? performance.now() - read : 0));
  function showClock() {
    if (!state.clock) return;
    const text = sandboxTime().toISOString();
    $("clock").textContent = `${text.slice(0, 10)} ${text.slice(11, 19)}${state.clock.running ? "" : " ⏸"}`;
    const big = $("clock-big");
    if (!big) return;
    big.textContent = `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
    $("clock-run").textContent = state.clock.running ? "Let it stand" : "Let it run";
  }
  async function loadClock() { setClock(await control("clock")); }
  function setClock(clock) { state.clock = clock; read = performance.now(); showClock(); }
  const changeClock = guarded(async (change) => setClock(await control("clock", "PUT", change)));
  function drawClock() {
    const set = h("input", { type: "datetime-local", step: "1", "aria-label": "New time, in UTC", value: state.clock.now.slice(0, 19), "data-key": "set" });
    const steps = [["1 minute", 60], ["1 hour", 3600], ["1 day", 86400], ["30 days", 2592000]];
    fill($("clock-dialog"),
      h("h2", { id: "clock-title" }, "Clock"),
      h("p", { class: "fine" }, "Every time that the sandbox writes comes from it."),
      h("div", { class: "form" },
        h("p", { class: "big", id: "clock-big" }),
        h("div", { class: "row" }, steps.map(([text, seconds]) => h("button", { type: "button", "data-key": text, onclick: () => changeClock({ advance: seconds }) }, `+ ${text}`))),
        h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); changeClock({ now: `${set.value.length === 16 ? `${set.value}:00` : set.value}Z` }); } },
          h("label", {}, h("span", {}, "Set it, in UTC"), set), h("button", { "data-key": "apply" }, "Set")),
        h("div", { class: "row" },
          h("button", { type: "button", id: "clock-run", onclick: () => changeClock({ running: !state.clock.running }) }),
          h("button", { type: "button", onclick: () => $("clock-dialog").close() }, "Done"))));
    showClock();
  }

  // --- Faults

  const FAULTS = {
    "409 — parallel updates": { status: 409 }, "429 — too many requests": { status: 429 }, "500 — internal error": { status: 500 },
    "503 — unavailable": { status: 503 }, "A delay of 2 seconds": { delay: 2 }, "Drop the connection before performing": { drop: "before" },
    "Drop the connection after performing": { drop: "after" }, "Cut the answer in the middle": { cut: true },
  };
  function told(fault) {
    const what = fault.status ? `Status ${fault.status}` : fault.drop ? `Connection dropped ${fault.drop} performing` : fault.cut ? "Answer cut in the middle" : `Delay of ${fault.delay} s`;
    const where = [fault.operation && `for ${fault.operation}`, fault.sessionId !== undefined && `for session ${fault.sessionId}`, fault.every && `every ${fault.every} requests`].filter(Boolean);
    return [what, ...where].join(", ");
  }
  async function loadFaults() {
    state.faults = (await control("faults")).faults;
    $("faults-count").textContent = state.faults.length;
    $("faults-count").hidden = !state.faults.length;
    drawOrdered();
  }
  const order = guarded(async (fault) => { await control("faults", "POST", fault); await loadFaults(); });
  const remove = guarded(async (number) => { await control(`faults?number=${number}`, "DELETE"); await loadFaults(); });
  function drawOrdered() {
    if (!$("ordered") || isDrawn($("ordered"), state.faults)) return;
    fill($("ordered"), state.faults.map((one) => h("li", {}, h("span", {}, bdi(told(one.fault)), h("span", { class: "fine" }, ` · happened ${plural(one.done, "time")}`)), h("button", { type: "button", class: "quiet", onclick: () => remove(one.number) }, "Delete"))));
  }
  function drawFaults() {
    const kind = h("select", { "data-key": "kind" }, Object.keys(FAULTS).map((name) => h("option", {}, name)));
    const current = state.route && state.route.session;
    const scopes = ["the next request", "every 2nd request", "every 3rd request", ...(current !== undefined && current !== null ? ["every request of this session"] : [])];
    const scope = h("select", { "data-key": "scope" }, scopes.map((name) => h("option", {}, name)));
    const chosen = () => {
      const every = scope.selectedIndex === 1 ? { every: 2 } : scope.selectedIndex === 2 ? { every: 3 } : {};
      return { ...FAULTS[kind.value], ...every, ...(scope.selectedIndex === 3 ? { sessionId: current } : {}) };
    };
    fill($("faults-dialog"),
      h("h2", { id: "faults-title" }, "Faults to order"),
      h("p", { class: "fine" }, "See what your service does when the API fails."),
      h("form", { onsubmit: (event) => { event.preventDefault(); order(chosen()); } },
        h("label", {}, h("span", {}, "What"), kind), h("label", {}, h("span", {}, "When"), scope),
        h("div", { class: "row" }, h("button", { class: "main", "data-key": "order" }, "Order it"), h("button", { type: "button", onclick: () => $("faults-dialog").close() }, "Done"))),
      h("ul", { class: "ordered", id: "ordered" }));
    drawOrdered();
  }

  // --- The list of sessions

  async function loadSessions() {
    const found = await control("sessions?limit=200");
    state.sessions = found.sessions;
    $("sessions-count").textContent = found.total;
    drawSessions();
  }
  function drawSessions() {
    const wanted = $("filter").value.trim().toLowerCase();
    const shown = state.sessions.filter((one) => !wanted || [one.id, one.profileId, one.state].some((text) => text.toLowerCase().includes(wanted)));
    const first = !state.seen.size;
    $("no-sessions").hidden = !(wanted && !shown.length);
    if (isDrawn($("sessions"), shown, state.route)) return;
    fill($("sessions"), shown.map((one) => {
      const fresh = !first && state.seen.get(one.id) !== one.updateCount;
      return h("li", {}, h("a", { class: `entry${fresh ? " fresh" : ""}`, href: `#session=${encodeURIComponent(one.id)}`, "data-key": one.id, "aria-current": state.route && state.route.session === one.id ? "page" : null, title: one.id },
        bdi(short(one.id), "name"), h("span", { class: "amount" }, amount(one.total)), h("span", {}, pill(one.state)), h("span", { class: "fine" }, plural(one.items, "item"))));
    }));
    for (const one of state.sessions) state.seen.set(one.id, one.updateCount);
  }

  // --- One session

  async function loadDetail() {
    const id = state.route.session;
    const values = { id };
    try {
      state.detail = await control(`session?${query(values)}`);
    } catch (error) {
      state.detail = null;
      if (state.route.session === id) drawMissing(id);
      return;
    }
    const found = await control(`requests?${query({ session: id, limit: 50 })}`);
    if (state.route.session !== id) return;
    state.requests = found.requests;
    drawDetail();
  }
  function drawMissing(id) {
    fill(main, back(), h("div", { class: "welcome" }, h("h2", {}, bdi(short(id))), h("p", {}, "There is no such session. An update creates it.")));
  }
  const back = () => h("a", { class: "back", href: "#" }, "← Sessions");
  function section(id, ...children) {
    const found = $(id);
    if (found) { fill(found, ...children); return found; }
    return h("section", { class: "card", id }, ...children);
  }
  function drawDetail() {
    const { session, board, history } = state.detail;
    if (!main.querySelector("#head") || main.dataset.session !== session.integrationId) {
      main.dataset.session = session.integrationId;
      state.trigger = null; state.result = null;
      fill(main, back(), h("div", { class: "head", id: "head" }), h("div", { class: "grid" },
        h("section", { class: "card", id: "actions" }, h("div", { id: "board" }), h("div", { id: "request" })),
        h("section", { class: "card wide", id: "picture" }), h("div", { class: "narrow side" }, h("section", { class: "card", id: "cart" }), h("section", { class: "card", id: "history" })),
        h("section", { class: "card", id: "exchanges" })));
      document.title = `${short(session.integrationId)} · Sandbox`;
    }
    fill($("head"),
      h("div", {}, h("h2", {}, bdi(session.integrationId), " ", pill(session.state)),
        h("p", { class: "facts" }, fact("customer", session.profileId || "anonymous"), fact("version", session.updateCount), session.couponCodes.length ? fact("coupons", session.couponCodes.join(", ")) : null, session.referralCode ? fact("referral", session.referralCode) : null, h("span", {}, "updated ", time(session.updated)))),
      h("div", { class: "sum" }, h("span", { class: "fine" }, "Total"), h("strong", {}, amount(session.total))));
    drawBoard(board);
    drawPicture(session);
    drawCart(session);
    drawHistory(history);
    if (!isDrawn($("exchanges"), state.requests)) section("exchanges", h("h2", {}, "Requests that led here", h("span", { class: "fine" }, "as sent, newest first")), exchanges($("exchanges")));
  }
  const fact = (name, value) => h("span", {}, `${name} `, h("b", {}, bdi(short(String(value)))));
  function drawBoard(board) {
    if (isDrawn($("board"), board, state.trigger)) return;
    fill($("board"), h("h2", {}, "What it may do now"),
      h("div", { class: "board", role: "group", "aria-label": "Triggers" }, TRIGGERS.map((name) => {
        const one = board[name];
        const why = one.violations.map((violation) => violation.message).join(" ");
        return h("button", { type: "button", class: `choice ${one.allowed ? "yes" : "no"}`, "data-key": `choice-${name}`, "data-trigger": name, "aria-pressed": String(state.trigger === name), onclick: () => choose(name) },
          h("strong", {}, h("span", { class: one.allowed ? "mark-yes" : "mark-no" }, one.allowed ? "✓ " : "✗ "), LABELS[name]),
          one.allowed ? h("span", { class: "to" }, "→ ", pill(one.to)) : h("span", { class: "why" }, bdi(why)));
      })));
  }
  function template(name) {
    const items = state.detail.session.cartItems;
    const body = {
      update: { couponCodes: ["WELCOME"] },
      close: { state: "closed" },
      cancel: { state: "cancelled" },
      return_items: { returnedCartItems: items.filter((one) => one.remainingQuantity).slice(0, 1).map((one) => ({ position: one.position, sku: one.sku, quantity: 1 })) },
    }[name];
    return body === undefined ? "" : JSON.stringify(body, null, 2);
  }
  function choose(name) {
    state.trigger = name;
    state.result = null;
    drawBoard(state.detail.board);
    const path = `/v2/customer_sessions/${encodeURIComponent(state.detail.session.integrationId)}`;
    const line = { return_items: ["POST", `${path}/returns`], reopen: ["PUT", `${path}/reopen`] }[name] || ["PUT", path];
    const text = template(name);
    const body = text ? h("textarea", { id: "body", spellcheck: "false", "aria-label": `The body: ${name === "return_items" ? "return" : "customerSession"}`, value: text }) : null;
    fill($("request"), h("div", { class: "request" },
      h("div", {}, h("p", { class: "line" }, h("strong", {}, line[0]), h("code", {}, bdi(line[1]))),
        body || h("p", { class: "fine" }, "This operation has no body."),
        h("div", { class: "buttons" }, h("button", { type: "button", class: "main", id: "send", onclick: guarded(send) }, `Send: ${LABELS[name]}`), h("button", { type: "button", id: "dry", onclick: guarded(dry) }, "Dry run"))),
      h("div", { class: "result", id: "result", role: "status", "aria-live": "polite" })));
    drawResult();
    if (body) body.focus({ preventScroll: true });
  }
  function body() {
    const given = $("body");
    if (!given) return undefined;
    try { return { text: given.value, value: JSON.parse(given.value) }; } catch (error) { throw new Error(`The body is not JSON: ${error.message}`); }
  }
  async function dry() {
    const given = body();
    const asked = `{"trigger":${JSON.stringify(state.trigger)}${given && state.trigger !== "cancel" ? `,"body":${given.text}` : ""}}`;
    const answer = await fetch(`sandbox/evaluation?${query({ id: state.detail.session.integrationId })}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: asked });
    const document = parsed(await answer.text());
    state.result = answer.ok ? { decision: document } : { status: answer.status, document };
    drawResult();
  }
  async function api(method, path, text) {
    const headers = { Authorization: `ApiKey-v1 ${state.about.apiKey}`, ...(text === undefined ? {} : { "Content-Type": "application/json" }) };
    const answer = await fetch(path, { method, headers, body: text });
    const content = await answer.text();
    return { status: answer.status, document: content ? parsed(content) : null };
  }
  async function send() {
    const given = body();
    const path = `v2/customer_sessions/${encodeURIComponent(state.detail.session.integrationId)}`;
    const calls = {
      return_items: () => api("POST", `${path}/returns`, `{"return":${given.text}}`),
      reopen: () => api("PUT", `${path}/reopen`),
    };
    try {
      state.result = await (calls[state.trigger] || (() => api("PUT", path, `{"customerSession":${given.text}}`)))();
    } catch (error) {
      state.result = { dropped: true };
    }
    drawResult();
    await refresh();
  }
  function drawResult() {
    const at = $("result");
    if (!at) return;
    const result = state.result;
    if (!result) { fill(at, h("p", { class: "fine" }, "A dry run shows every rule and every reason, and changes nothing. Send performs the request as a client would.")); return; }
    if (result.dropped) { fill(at, h("p", { class: "problem" }, "The connection was dropped before the answer was complete.")); return; }
    if (result.decision) {
      const one = result.decision;
      fill(at,
        h("p", { class: "verdict" }, h("strong", { class: one.allowed ? "mark-yes" : "mark-no" }, one.allowed ? "✓ It would be allowed" : "✗ It would be refused"), one.allowed ? [", and lead to ", pill(one.to)] : null),
        one.violations.length ? h("ul", { class: "checks" }, one.violations.map((violation) => h("li", {}, h("span", { class: "mark-no" }, "✗"), h("span", {}, bdi(violation.message), " ", h("code", {}, bdi(violation.code)), violation.pointer ? [" at ", h("code", {}, bdi(violation.pointer))] : null)))) : null,
        h("p", { class: "fine" }, one.checks.length ? "Every rule that guards it:" : "No rule was asked: the table decides."),
        h("ul", { class: "checks" }, one.checks.map((check) => h("li", {}, h("span", { class: check.outcome === "passed" ? "mark-yes" : "mark-no" }, check.outcome === "passed" ? "✓" : "✗"), h("span", {}, bdi(check.text), " ", h("code", {}, bdi(check.code)))))));
      return;
    }
    const good = result.status < 400;
    fill(at, h("p", {}, status(result.status), " ", good ? "Done." : bdi(result.document.message)),
      good ? null : h("ul", { class: "checks" }, (result.document.errors || []).map((one) => h("li", {}, h("span", { class: "mark-no" }, "✗"), h("span", {}, bdi(one.details), " ", h("code", {}, bdi(one.title)))))));
  }
  function drawPicture(session) {
    const source = `sandbox/picture?${query({ id: session.integrationId, version: session.updateCount, detail: "simple" })}`;
    const full = `sandbox/picture?${query({ id: session.integrationId, version: session.updateCount })}`;
    const card = $("picture");
    if (card.dataset.source === source) return;
    card.dataset.source = source;
    fill(card, h("h2", {}, "Where it stands", h("a", { class: "fine", href: full, target: "_blank", rel: "noopener" }, "with every rule")),
      h("figure", { class: "picture", tabindex: "0", "aria-label": "The picture, which may be wider than the screen" }, h("a", { href: full, target: "_blank", rel: "noopener", "aria-label": "Open the picture with every rule" }, h("img", { src: source, alt: `State diagram: the session is ${session.state}` }))));
  }
  function drawCart(session) {
    if (isDrawn($("cart"), session, state.detail.returnedItemTotal)) return;
    const costs = Object.entries(session.additionalCosts);
    const rows = session.cartItems.map((one) => h("tr", {},
      h("td", {}, bdi(one.name || one.sku), one.name ? [h("br"), h("span", { class: "fine mono" }, bdi(one.sku))] : null),
      h("td", { class: "number" }, String(one.quantity), one.returnedQuantity ? h("div", { class: "mark-no fine" }, `−${one.returnedQuantity} returned`) : null),
      h("td", { class: "number" }, one.price === undefined ? "—" : amount(one.price))));
    const foot = [["Items", session.cartItemTotal], ...(Number(session.cartItemAdditionalCostTotal) ? [["Costs of items", session.cartItemAdditionalCostTotal]] : []), ...costs.map(([name, cost]) => [name, cost.price]), ["Total", session.total, "sum"]];
    if (Number(state.detail.returnedItemTotal)) foot.push(["of that, returned", state.detail.returnedItemTotal, "after"]);
    section("cart", h("h2", {}, "Cart", h("span", { class: "fine" }, plural(rows.length, "item"))),
      rows.length ? h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Item"), h("th", { scope: "col", class: "number" }, "Quantity"), h("th", { scope: "col", class: "number" }, "Price"))), h("tbody", {}, rows),
        h("tfoot", {}, foot.map(([name, value, kind]) => h("tr", { class: kind }, h("td", { colspan: "2" }, bdi(name)), h("td", { class: "number" }, amount(value)))))) : h("p", { class: "fine" }, "The cart is empty."));
  }
  function drawHistory(history) {
    if (isDrawn($("history"), history)) return;
    section("history", h("h2", {}, "History", h("span", { class: "fine" }, plural(history.length, "step"))),
      h("ol", { class: "timeline" }, history.map((event) => {
        const returned = (event.returnedItems || []).map((one) => `${one.quantity} × ${one.sku}`);
        const names = event.change && !Array.isArray(event.change) ? Object.keys(event.change).filter((name) => name !== "state") : [];
        return h("li", { class: event.target }, h("div", { class: "what" }, h("strong", {}, LABELS[event.trigger] || event.trigger), pill(event.target), time(event.at)),
          returned.length || names.length ? h("p", { class: "fine" }, bdi(returned.length ? returned.join(", ") : names.join(", "))) : null);
      })));
  }

  // --- Requests and answers

  const status = (code) => h("span", { class: `status ${code !== null && code < 400 ? "good" : "bad"}` }, code === null ? "drop" : String(code));
  function exchanges(place) {
    const old = new Map([...place.querySelectorAll("details")].map((one) => [one.dataset.number, one]));
    const list = state.requests.map((one) => {
      const key = String(one.number);
      const found = old.get(key);
      if (found && found.dataset.at === one.at) return h("li", {}, found);
      const tags = [one.dry && "dry run", one.repeated && "repeated", `${Number(one.milliseconds).toFixed(1)} ms`].filter(Boolean).map((text) => h("span", { class: "tag" }, text));
      if (one.fault) tags.unshift(h("span", { class: "tag fault" }, "fault"));
      const details = h("details", { "data-number": key, "data-at": one.at }, h("summary", { "data-key": `request-${key}` }, status(one.status), h("strong", {}, one.method), h("code", { class: "target", title: one.target }, bdi(one.target)), h("span", { class: "tags" }, tags)));
      details.addEventListener("toggle", guarded(async () => {
        if (!details.open || details.dataset.loaded) return;
        details.dataset.loaded = "yes";
        const whole = await control(`request?number=${key}`);
        details.append(h("div", { class: "bodies" }, h("div", {}, h("h3", {}, "Request"), h("pre", { tabindex: "0" }, request(whole))), h("div", {}, h("h3", {}, "Answer"), h("pre", { tabindex: "0" }, answer(whole)))));
      }));
      return h("li", {}, details);
    });
    return list.length ? h("ul", { class: "exchanges" }, list) : h("p", { class: "fine" }, "None yet.");
  }
  const headers = (given) => Object.entries(given).map(([name, value]) => `${name}: ${value}`).join("\n");
  const request = (one) => `${one.method} ${one.target}\n${headers(one.headers)}${one.body ? `\n\n${one.body}` : ""}`;
  const answer = (one) => one.status === null ? "The connection was dropped." : `${one.status}\n${headers(one.answerHeaders)}${one.answer ? `\n\n${one.answer}` : ""}`;
  async function loadAll() {
    const found = await control("requests?limit=200");
    if (!state.route.all) return;
    state.requests = found.requests;
    if (!$("all-requests")) fill(main, back(), h("section", { class: "card", id: "all-requests" }));
    delete main.dataset.session;
    document.title = "All requests · Sandbox";
    if (!isDrawn($("all-requests"), state.requests)) section("all-requests", h("h2", {}, "All requests", h("span", { class: "fine" }, "as sent, newest first")), exchanges($("all-requests")));
  }

  // --- Welcome, new, reset

  const EXAMPLE = { profileId: "customer-7", cartItems: [{ name: "Enamel mug", sku: "MUG-01", quantity: 2, price: 12.5 }, { name: "Notebook", sku: "NOTE-A5", quantity: 3, price: 7.9 }], additionalCosts: { shipping: { price: 4.9 } } };
  const create = async (id, text) => {
    const result = await api("PUT", `v2/customer_sessions/${encodeURIComponent(id)}`, `{"customerSession":${text}}`);
    if (result.status >= 400) throw new Error(reasons(result.document).join(" "));
    await refresh();
    location.hash = `session=${encodeURIComponent(id)}`;
  };
  function drawWelcome() {
    delete main.dataset.session;
    document.title = "Sandbox";
    const base = new URL(".", location.href).href.replace(/\/$/, "");
    const curl = `curl -X PUT ${base}/v2/customer_sessions/order-1 \\\n  -H 'Authorization: ApiKey-v1 test' -H 'Content-Type: application/json' \\\n  -d '{"customerSession": {"cartItems": [{"sku": "MUG", "quantity": 2, "price": 12.5}]}}'`;
    fill(main, h("div", { class: "welcome" },
      h("h2", {}, "Talon.One’s customer sessions, on this machine"),
      h("p", {}, "Point a client at the address below. Every session appears here as it changes, with what it may do next and why the rest is refused."),
      h("div", { class: "card" }, h("h3", {}, "Base URL"), h("pre", { tabindex: "0", id: "base" }, base), h("h3", {}, "From a terminal"), h("pre", { tabindex: "0" }, curl)),
      h("div", { class: "buttons" }, h("button", { type: "button", class: "main", id: "example", onclick: guarded(() => create(`order-${1000 + state.sessions.length + 1}`, JSON.stringify(EXAMPLE))) }, "Create an example cart"), h("button", { type: "button", onclick: openNew }, "Another session"))));
  }
  function openNew() {
    const id = h("input", { required: true, maxlength: "1000", value: `order-${1000 + state.sessions.length + 1}`, autocomplete: "off", id: "new-id" });
    const text = h("textarea", { spellcheck: "false", value: JSON.stringify(EXAMPLE, null, 2), id: "new-body" });
    const problem = h("p", { class: "problem", role: "alert" });
    fill($("new-dialog"), h("h2", { id: "new-title" }, "New session"), h("p", { class: "fine" }, "An update of an unknown session creates it."),
      h("form", { onsubmit: (event) => { event.preventDefault(); create(id.value, text.value).then(() => $("new-dialog").close(), (error) => { problem.textContent = error.message; }); } },
        h("label", {}, h("span", {}, "Integration ID"), id), h("label", {}, h("span", {}, "customerSession"), text), problem,
        h("div", { class: "row" }, h("button", { class: "main", id: "create" }, "Create"), h("button", { type: "button", onclick: () => $("new-dialog").close() }, "Not now"))));
    $("new-dialog").showModal();
    id.select();
  }
  function openReset() {
    const reset = guarded(async () => { await control("reset", "POST"); $("reset-dialog").close(); location.hash = ""; });
    fill($("reset-dialog"), h("h2", { id: "reset-title" }, "Delete everything?"), h("p", { class: "fine" }, "Sessions, profiles, requests, faults and answers of idempotency keys. The clock stays."),
      h("div", { class: "form" }, h("div", { class: "row" }, h("button", { type: "button", class: "main", id: "reset-now", onclick: reset }, "Delete everything"), h("button", { type: "button", onclick: () => $("reset-dialog").close() }, "Keep it"))));
    $("reset-dialog").showModal();
  }

  // --- Routes and live updates

  function decodedHash() { try { return decodeURIComponent(location.hash.slice("#session=".length)); } catch { return ""; } }
  async function route(moved = false) {
    const hash = location.hash;
    state.route = hash === "#requests" ? { all: true } : hash.startsWith("#session=") ? { session: decodedHash() } : {};
    document.body.dataset.view = state.route.all || state.route.session !== undefined ? "detail" : "list";
    $("all-link").toggleAttribute("aria-current", Boolean(state.route.all));
    drawSessions();
    if (state.route.all) await loadAll();
    else if (state.route.session !== undefined) await loadDetail();
    else drawWelcome();
    if (moved) { main.focus({ preventScroll: true }); scrollTo(0, 0); }
  }
  let running = null, again = false;
  function refresh() {
    if (running) { again = true; return running; }
    running = (async () => {
      do {
        again = false;
        state.about = await control("");
        $("requests-count").textContent = state.about.requests;
        await loadSessions();
        if (state.route.all) await loadAll();
        else if (state.route.session !== undefined) await loadDetail();
      } while (again);
    })().finally(() => { running = null; });
    return running;
  }
  async function start() {
    state.about = await control("");
    $("class").textContent = state.about.class;
    state.route = {};
    await Promise.all([loadClock(), loadFaults()]);
    await refresh();
    await route();
    setInterval(showClock, 1000);
    const events = new EventSource("sandbox/events");
    const live = (on) => { $("live").classList.toggle("on", on); $("live").lastElementChild.textContent = on ? "live" : "reconnecting"; };
    events.onopen = () => live(true);
    events.onerror = () => live(false);
    events.addEventListener("ready", guarded(async () => { await loadClock(); await loadFaults(); await refresh(); }));
    events.addEventListener("requests", guarded(() => refresh()));
    events.addEventListener("reset", guarded(async () => { state.seen.clear(); await refresh(); }));
    events.addEventListener("clock", guarded(loadClock));
    events.addEventListener("faults", guarded(loadFaults));
    document.body.dataset.ready = "yes";
  }
  $("filter").addEventListener("input", drawSessions);
  $("clock-button").addEventListener("click", () => { drawClock(); $("clock-dialog").showModal(); });
  $("faults-button").addEventListener("click", () => { drawFaults(); $("faults-dialog").showModal(); });
  $("new-button").addEventListener("click", openNew);
  $("reset-button").addEventListener("click", openReset);
  addEventListener("hashchange", guarded(() => route(true)));
  start().catch((error) => say(error.message));
})();
