// Compares any two commits, in the form of the comparisons that are drawn already. Stands before site.js in the site's script.
"use strict";

const signed = (share) => {
  const size = Math.abs(share) * 100;
  if (size < 0.005) return "0 %";
  return (share < 0 ? "-" : "+") + size.toFixed(size < 0.995 ? 2 : size < 99.95 ? 1 : 0) + " %";
};

// What is shown of a comparison, summed up by group and metric.
function groups(shown) {
  const table = document.getElementById("groups");
  if (!table) return;
  const sums = new Map();
  for (const { row, picked, keys } of shown) {
    const name = picked.group + "\u0000" + picked.metric;
    const sum = sums.get(name) || { group: picked.group, metric: picked.metric, count: 0, worse: 0, better: 0, logs: 0, known: 0 };
    sums.set(name, sum);
    sum.count += 1;
    if (row.querySelector(".worse")) sum.worse += 1;
    if (row.querySelector(".better")) sum.better += 1;
    const log = Math.log1p(keys[2]);
    if (Number.isFinite(log)) { sum.logs += log; sum.known += 1; }
  }
  const cell = (text, number) => {
    const made = document.createElement("td");
    made.textContent = text;
    if (number) made.className = "n";
    return made;
  };
  const order = [...sums.keys()].sort();
  table.tBodies[0].replaceChildren(...order.map((name) => {
    const sum = sums.get(name);
    const line = document.createElement("tr");
    line.append(cell(sum.group), cell(sum.metric), cell(sum.count, true), cell(sum.worse, true), cell(sum.better, true),
      cell(sum.known ? signed(Math.expm1(sum.logs / sum.known)) : "", true));
    return line;
  }));
}

// What is shown, as Markdown. A name stands in code, with as many backticks as it takes.
function exported(table) {
  const place = document.getElementById("export");
  if (!place) return;
  place.hidden = false;
  const code = (text) => {
    const ticks = "`".repeat(1 + Math.max(0, ...(text.match(/`+/g) || []).map((run) => run.length)));
    const gap = ticks.length > 1 ? " " : "";
    return ticks + gap + text.replace(/\|/g, "\\|") + gap + ticks;
  };
  place.querySelector("button").addEventListener("click", () => {
    const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent);
    const lines = [...table.tBodies[0].rows].map((row) =>
      "| " + [...row.cells].map((cell, at) => (at < 4 ? code(cell.textContent) : cell.textContent)).join(" | ") + " |");
    const text = place.querySelector("textarea");
    text.value = ["| " + heads.join(" | ") + " |", "| " + heads.map((_, at) => (at < 4 ? "---" : "---:")).join(" | ") + " |", ...lines].join("\n");
    text.focus();
    text.select();
  });
}

// Any two commits against each other, from the site's data: an index for each suite and machine, and its readings in pieces.
const shelves = new Map(), pieces = new Map();
function tachographShelf([key, suite, machine, each, series, runs]) { shelves.set(key, { key, suite, machine, each, series, runs }); }
function tachographPiece([key, number, lines]) { pieces.set(key + "-" + number, lines); }

function load(name) {
  return new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = "data/" + name + ".js";
    script.addEventListener("load", done);
    script.addEventListener("error", fail);
    document.head.append(script);
  });
}

const UNITS = {
  ns: [[1, "ns"], [1e3, "µs"], [1e6, "ms"], [1e9, "s"]],
  bytes: [[1, "B"], [1024, "KiB"], [1048576, "MiB"], [1073741824, "GiB"]],
};
function quantity(value, unit) {
  const steps = UNITS[unit === "B" ? "bytes" : unit] || [[1, ""], [1e3, "k"], [1e6, "M"], [1e9, "G"]];
  const [size, name] = [...steps].reverse().find(([size]) => Math.abs(value) >= size) || steps[0];
  const own = unit in UNITS || ["B", "count", "", "1"].includes(unit) ? "" : unit;
  return [Number((value / size).toPrecision(4)), name, own].filter((part) => part !== "").join(" ");
}

function compare(form) {
  const commits = tachographHistory, tags = tachographTags;
  const keys = form.dataset.shelves.split(" ").filter(Boolean);
  const table = document.getElementById("rows");
  const say = (text) => { document.getElementById("hint").textContent = text; };
  const made = (name, text, className) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const options = [...tags.map(([place, name]) => [name, place]).reverse(), ...commits.map((commit, place) => [commit[0], place]).slice(-200).reverse()];
  document.getElementById("commits").append(...options.map(([name, place]) => new Option(commits[place][2], name)));

  // A release, the beginning of a hash, or a day.
  function placeOf(text) {
    const tag = tags.find(([, name]) => name === text);
    if (tag) return tag[0];
    if (/^\d{4}-\d\d-\d\d$/.test(text)) {
      const end = Date.parse(text + "T23:59:59Z") / 1000;
      for (let at = commits.length - 1; at >= 0; at--) if (commits[at][1] <= end) return at;
      return -1;
    }
    if (!/^[0-9a-f]{4,40}$/.test(text)) return -1;
    const found = commits.flatMap(([hash], at) => (hash.startsWith(text.slice(0, hash.length)) ? [at] : []));
    return found.length === 1 ? found[0] : -1;
  }
  // The last run at a place or before it.
  function runAt(shelf, place) {
    let best = -1;
    shelf.runs.forEach(([, at], number) => { if (at <= place && (best < 0 || at >= shelf.runs[best][1])) best = number; });
    return best;
  }
  async function readings(shelf, run) {
    const name = shelf.key + "-" + Math.floor(run / shelf.each);
    if (!pieces.has(name)) await load(name);
    return pieces.get(name)[run % shelf.each].split(";").map((cell) => {
      if (!cell) return null;
      const [level, low, high] = cell.split(" ").map(Number);
      return { level, low: low === undefined ? null : level * (1 + low / 1e5), high: high === undefined ? null : level * (1 + high / 1e5) };
    });
  }
  function interval(was, now) {
    if ([was, now].some((one) => one.low === null || one.low <= 0 || one.level <= 0)) return null;
    const ratio = Math.log(now.level / was.level);
    const down = Math.hypot(Math.log(now.level / now.low), Math.log(was.high / was.level));
    const up = Math.hypot(Math.log(now.high / now.level), Math.log(was.level / was.low));
    return [Math.expm1(ratio - down), Math.expm1(ratio + up)];
  }
  function line(shelf, series, was, now) {
    const [id, name, metric, unit, better, noise] = series;
    const moved = (now.level - was.level) / Math.abs(was.level);
    if (!Number.isFinite(moved)) return null;
    const factor = noise === null ? null : Math.abs(moved) / noise;
    const turn = better === "unknown" ? "moved" : (moved > 0) === (better === "lower") ? "worse" : "better";
    const row = document.createElement("tr");
    row.dataset.k = [was.level, now.level, moved, noise, factor].map((key) => (key === null ? "-" : key)).join(" ");
    const head = made("th"), link = made("a", name), range = interval(was, now);
    head.scope = "row";
    link.href = "series/" + id + ".html";
    head.append(link);
    row.append(head, made("td", shelf.suite), made("td", metric), made("td", shelf.machine),
      made("td", quantity(was.level, unit), "n"), made("td", quantity(now.level, unit), "n"),
      made("td", signed(moved), "n" + (factor >= 1 ? " " + turn : "")),
      made("td", range ? signed(range[0]) + " to " + signed(range[1]) : "", "n"),
      made("td", noise === null ? "" : "±" + signed(noise).slice(1), "n"), made("td", factor === null ? "" : factor.toFixed(1), "n"));
    return { row, moved, noise, factor, turn };
  }
  async function one(key, from, to) {
    if (!shelves.has(key)) await load(key);
    const shelf = shelves.get(key);
    const [a, b] = [runAt(shelf, from), runAt(shelf, to)];
    if (a < 0 || b < 0 || a === b) return { shelf, lines: [], a, b };
    const [was, now] = [await readings(shelf, a), await readings(shelf, b)];
    const lines = shelf.series.flatMap((series, at) => (was[at] && now[at] ? line(shelf, series, was[at], now[at]) || [] : []));
    return { shelf, lines, a, b };
  }
  function measured(found, from, to) {
    const list = made("ul", undefined, "pairs");
    for (const { shelf, a, b } of found) {
      const item = made("li", shelf.suite + " on " + shelf.machine + ": ");
      if (a < 0 || b < 0 || a === b) {
        item.append(a === b && a >= 0 ? "not measured between the two" : "was not measured yet");
      } else {
        [[a, from], [b, to]].forEach(([run, wanted], side) => {
          const [id, place, hasPage] = shelf.runs[run];
          const link = made(hasPage ? "a" : "code", commits[place][0]);
          if (hasPage) link.href = "run/" + id + ".html";
          item.append(side ? " → " : "", link, place === wanted ? "" : " (the last before it)");
        });
        const [was, now] = [shelf.runs[a][3], shelf.runs[b][3]];
        if (was !== now) item.append(" · " + was + " → " + now);
      }
      list.append(item);
    }
    document.getElementById("measured").replaceChildren(list);
  }
  let asked = 0;
  async function show() {
    const wanted = state.read();
    const [a, b] = [wanted.get("a") || "", wanted.get("b") || ""];
    [form.elements.a.value, form.elements.b.value] = [a, b];
    if (!a || !b) { document.getElementById("compared").hidden = true; return; }
    const [from, to] = [placeOf(a), placeOf(b)];
    if (from < 0 || to < 0) { say("No single commit of this site is meant by " + (from < 0 ? a : b) + "."); return; }
    const mine = ++asked;
    say("Reading …");
    let found;
    try { found = await Promise.all(keys.map((key) => one(key, from, to))); }
    catch { say("The site's data could not be read."); return; }
    // Somebody asked for another pair meanwhile.
    if (mine !== asked) return;
    const lines = found.flatMap(({ lines }) => lines);
    lines.sort((one, other) => (other.factor >= 1) - (one.factor >= 1) || (other.factor ?? 0) - (one.factor ?? 0));
    table.tBodies[0].replaceChildren(...lines.map(({ row }) => row));
    const count = (turn) => lines.filter((one) => one.factor >= 1 && one.turn === turn).length;
    document.getElementById("state").textContent = count("worse") + " worse, " + count("better")
      + " better by more than their noise, of " + lines.length + " series that both have.";
    const name = (place) => commits[place][0] + " of " + new Date(commits[place][1] * 1000).toISOString().slice(0, 10) + " (" + commits[place][2] + ")";
    say("From " + name(from) + " to " + name(to) + ".");
    measured(found, from, to);
    document.getElementById("scatter").replaceChildren(scatter(lines));
    document.getElementById("compared").hidden = false;
    refresh();
  }
  const refresh = list(table, document.getElementById("filter"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    state.write({ a: form.elements.a.value.trim(), b: form.elements.b.value.trim() }, true);
    show();
  });
  form.elements.swap.addEventListener("click", () => {
    state.write({ a: form.elements.b.value.trim(), b: form.elements.a.value.trim() }, true);
    show();
  });
  let last = "";
  const turned = () => {
    const wanted = state.read();
    const pair = wanted.get("a") + " " + wanted.get("b");
    if (pair !== last) show();
    last = pair;
  };
  addEventListener("hashchange", turned);
  addEventListener("popstate", turned);
  form.hidden = false;
  turned();
}

// How far each series moved over how far it moves without a cause, as in the charts that are drawn already.
function scatter(lines) {
  const [left, right, top, bottom] = [78, 946, 14, 300];
  const element = (name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const known = lines.filter(({ noise }) => noise !== null);
  const sizes = known.map(({ moved }) => Math.abs(moved) * 100).sort((a, b) => a - b);
  const most = sizes[sizes.length - 1] || 1;
  const reach = Math.max(0.5, Math.min(most, (sizes[Math.floor(sizes.length * 0.95)] ?? most) * 2.5)) * 1.05;
  const across = (pct) => left + ((Math.max(-2, Math.min(2, Math.log10(Math.max(pct, 1e-9)))) + 2) / 4) * (right - left);
  const down = (pct) => (top + bottom) / 2 - (Math.max(-reach, Math.min(reach, pct)) / reach) * (bottom - top) / 2;
  const r = (number) => Math.round(number * 10) / 10;
  const svg = element("svg", { class: "chart scatter", viewBox: "0 0 960 340", role: "img", "aria-label": "How far each series moved, over its noise" });
  const powers = [...Array(49).keys()].map((step) => 10 ** (-2 + step / 12));
  const edge = (sign) => powers.map((pct) => r(across(pct)) + " " + r(down(sign * pct)));
  const wedge = element("g", { class: "allowed" }), ticks = element("g", { class: "ticks" }), quiet = element("g", { class: "dots quiet" });
  wedge.append(element("path", { d: "M" + edge(1).join("L") + "L" + edge(-1).reverse().join("L") + "z" }));
  for (const pct of [-reach, -reach / 2, 0, reach / 2, reach].map((pct) => Number(pct.toPrecision(2)))) {
    ticks.append(element("text", { x: left - 8, y: r(down(pct)) + 4, "text-anchor": "end" }, (pct > 0 ? "+" : "") + pct + " %"));
  }
  for (const pct of [0.01, 0.1, 1, 10, 100]) {
    ticks.append(element("text", { x: r(across(pct)), y: bottom + 17, "text-anchor": pct > 10 ? "end" : "middle" }, pct + " %"));
  }
  ticks.append(element("text", { x: 512, y: bottom + 34, "text-anchor": "middle" }, "what two runs differ by when nothing happened"));
  const axis = element("g", { class: "axis" });
  axis.append(element("path", { d: "M" + left + " " + r(down(0)) + "H" + right }));
  const flags = Object.fromEntries(["worse", "better", "moved"].map((turn) => [turn, element("g", { class: "flags " + turn })]));
  const taken = new Set(), dots = [];
  let left_over = 250;
  for (const { moved, noise, factor, turn } of known) {
    const [x, y] = [r(across(noise * 100)), r(down(moved * 100))];
    if (factor >= 1 && left_over-- > 0) {
      const up = moved > 0 ? -1 : 1;
      flags[turn].append(element("path", { d: `M${x - 4} ${y - up * 3}h8L${x} ${y + up * 5}z` }));
    } else if (factor < 1) {
      const box = Math.floor(x / 5) + " " + Math.floor(y / 5);
      if (!taken.has(box)) dots.push(`M${x} ${y}h0`);
      taken.add(box);
    }
  }
  quiet.append(element("path", { d: dots.join("") || "M0 0" }));
  svg.append(wedge, ticks, axis, quiet, ...Object.values(flags));
  return svg;
}

