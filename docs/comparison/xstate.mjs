// What XState does, found out by running it; the questions are those of peers.py, by their short names.
// Usage: node xstate.mjs DIRECTORY, where the npm package xstate lies in DIRECTORY.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.argv[2] + "/"));
const xstate = require("xstate");
const graph = require("xstate/graph");
const { createActor, createMachine, fromPromise } = xstate;
const version = require("xstate/package.json").version;

const yes = (answer) => (answer ? "yes" : "no");
const errorOf = (call) => {
  try {
    call();
  } catch (error) {
    return error;
  }
};
const order = (close, closed = {}) => {
  const machine = createMachine({ id: "order", initial: "open", states: { open: { on: { CLOSE: close } }, closed } });
  const actor = createActor(machine);
  actor.subscribe({ error: () => {} }); // what fails is expected to
  return actor.start();
};
const guarded = () => order({ target: "closed", guard: () => false });
const fail = () => {
  throw new Error("no stock");
};

const shut = () => {
  const actor = guarded();
  errorOf(() => (actor.getSnapshot().value = "closed"));
  return actor.getSnapshot().value === "open";
};
const whole = () => {
  const actor = order({ target: "closed" }, { entry: fail });
  actor.send({ type: "CLOSE" });
  return actor.getSnapshot().status === "active" && actor.getSnapshot().value === "open";
};
const nested = () => {
  const actor = order({ target: "closed" }, { initial: "paid", states: { paid: {} } });
  actor.send({ type: "CLOSE" });
  return actor.getSnapshot().matches({ closed: "paid" });
};
const lost = () => createMachine({ initial: "open", states: { open: {}, lost: {} } });
const coroutines = async () => {
  let called = false;
  const src = fromPromise(async () => (called = true));
  order({ target: "closed" }, { invoke: { src } }).send({ type: "CLOSE" });
  await new Promise(setImmediate);
  return called;
};

// A package without a tool exports nothing that is named after it.
const exported = [...Object.keys(xstate), ...Object.keys(graph)].map((name) => name.toLowerCase());
const named = (...words) => yes(exported.some((name) => words.some((word) => name.includes(word))));
const paths = () => graph.getShortestPaths(createMachine({ initial: "open", states: { open: {} } }));

console.log(
  JSON.stringify({
    version,
    raises: yes(errorOf(() => guarded().send({ type: "CLOSE" }))),
    every_reason: yes(errorOf(() => guarded().send({ type: "CLOSE" }))), // there is no error to name any
    asks: yes(guarded().getSnapshot().can({ type: "CLOSE" }) === false),
    asks_why: yes(typeof guarded().getSnapshot().can({ type: "CLOSE" }) !== "boolean"),
    shut: yes(shut()),
    lost_state: yes(errorOf(lost)),
    whole: yes(whole()),
    nested: yes(nested()),
    coroutines: yes(await coroutines()),
    store: named("store", "storage", "database"),
    outbox: named("outbox"),
    picture: named("diagram", "draw"),
    history: named("diagram", "draw"),
    coverage: named("coverage"),
    paths: yes(paths().length),
    mutants: named("mutant", "mutation"),
    backtest: named("backtest", "replay"),
    sandbox: named("sandbox"),
  }),
);
