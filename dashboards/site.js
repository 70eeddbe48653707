// Adds to pages that are whole without it: search, filters and sorting on lists; hover, zoom and dates on charts. What is
// shown stands in the address, so that it can be sent to somebody and the way back works. Nothing is ever fetched but this
// site's own files.
"use strict";

const state = {
  read() { return new URLSearchParams(location.hash.slice(1)); },
  // A step that one wants to come back from is pushed; letters being typed are not.
  write(changes, push) {
    const all = state.read();
    for (const [key, value] of Object.entries(changes)) {
      if (value === "" || value === null) all.delete(key); else all.set(key, value);
    }
    const hash = "#" + all.toString();
    if (hash === location.hash || (hash === "#" && !location.hash)) return;
    history[push ? "pushState" : "replaceState"](null, "", hash === "#" ? location.pathname.split("/").pop() : hash);
  },
};

// No more rows than this are shown at once; a filter finds the rest.
const MOST_ROWS = 1000;

// A list that is searched, filtered and sorted. What is sorted by which key, and what can be picked, stands in the table.
// Gives a function that reads the rows anew.
function list(table, form) {
  const body = table.tBodies[0];
  const pairs = (text) => text.split(",").filter(Boolean).map((pair) => pair.split(" "));
  const picks = Object.fromEntries(pairs(table.dataset.picks).map(([name, column]) => [name, Number(column)]));
  const sortable = Object.fromEntries(pairs(table.dataset.sort).map(([column, key]) => [column, key === "-" ? null : Number(key)]));
  const named = (name) => form.elements[name];
  const moves = Boolean(named("least"));
  const fields = ["q", ...Object.keys(picks), ...(moves ? ["least", "factor", "only"] : [])];
  let rows = [];
  function read() {
    rows = [...body.rows].map((row, place) => {
      const picked = Object.entries(picks).map(([name, column]) => {
        const text = row.cells[column].textContent;
        return [name, name === "group" ? text.split("/")[0] : text];
      });
      const moved = row.querySelector(".worse, .better");
      return {
        row, place, picked: Object.fromEntries(picked), text: row.cells[0].textContent.toLowerCase(),
        turn: moved ? (moved.classList.contains("worse") ? "worse" : "better") : "",
        keys: row.dataset.k.split(" ").map((key) => (key === "-" ? null : Number(key))),
      };
    });
    for (const pick of Object.keys(picks)) {
      const values = [...new Set(rows.map((row) => row.picked[pick]))].sort();
      named(pick).replaceChildren(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    }
    show();
  }
  const heads = [...table.tHead.rows[0].cells];
  for (const [column, key] of Object.entries(sortable)) {
    const head = heads[column];
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const now = state.read().get("sort");
      const [down, up] = ["-" + column, column];
      const first = key === null ? up : down;
      const second = key === null ? down : up;
      state.write({ sort: now === first ? second : first }, true);
      show();
    });
  }
  function show() {
    const wanted = state.read();
    const words = (wanted.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);
    for (const field of fields) {
      const value = wanted.get(field) || "";
      if (named(field).value !== value) named(field).value = value;
    }
    const sort = wanted.get("sort") || "";
    const column = sort.replace("-", "");
    const sign = sort.startsWith("-") ? -1 : 1;
    const key = sortable[column];
    const order = (one, other) => {
      if (column === "" || !(column in sortable)) return one.place - other.place;
      if (key === null) return sign * (one.text < other.text ? -1 : one.text > other.text ? 1 : one.place - other.place);
      const [a, b] = [one.keys[key], other.keys[key]];
      if (a === null || b === null) return (a === null) - (b === null) || one.place - other.place;
      return sign * (a - b) || one.place - other.place;
    };
    heads.forEach((head, at) => {
      if (String(at) === column) head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    const [least, factor] = [Number(wanted.get("least")) / 100 || 0, Number(wanted.get("factor")) || 0];
    const large = (row) => !moves || (Math.abs(row.keys[2] ?? 0) >= least && (factor === 0 || (row.keys[4] ?? 0) >= factor)
      && (!wanted.get("only") || row.turn === wanted.get("only")));
    const fits = (row) => words.every((word) => row.text.includes(word)) && large(row)
      && Object.keys(picks).every((pick) => !wanted.get(pick) || row.picked[pick] === wanted.get(pick));
    const shown = rows.filter(fits).sort(order);
    body.replaceChildren(...shown.slice(0, MOST_ROWS).map((row) => row.row));
    document.getElementById("shown").textContent = shown.length + " of " + rows.length
      + (shown.length > MOST_ROWS ? ", the first " + MOST_ROWS + " shown" : "");
    if (moves) groups(shown);
    elsewhere(words, rows);
  }
  form.addEventListener("input", () => {
    state.write(Object.fromEntries(fields.map((name) => [name, named(name).value])), false);
    show();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", show);
  addEventListener("popstate", show);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      named("q").focus();
    }
  });
  form.hidden = false;
  if (moves) exported(table);
  read();
  return read;
}

// A site of many series has several pages of them; what is sought may stand on another.
function elsewhere(words, here) {
  const place = document.getElementById("elsewhere");
  if (!place) return;
  place.replaceChildren();
  if (!words.length) return;
  if (!window.tachographRows) {
    if (place.dataset.asked) return;
    place.dataset.asked = "1";
    const script = document.createElement("script");
    script.src = "rows.js";
    script.addEventListener("load", () => dispatchEvent(new Event("hashchange")));
    document.head.append(script);
    return;
  }
  const shown = new Set(here.map((row) => row.row.cells[0].firstElementChild.getAttribute("href")));
  const fits = ([id, , name]) => words.every((word) => name.toLowerCase().includes(word)) && !shown.has("series/" + id + ".html");
  for (const [id, suite, name, metric, machine] of window.tachographRows.filter(fits).slice(0, 60)) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = "series/" + id + ".html";
    link.textContent = name;
    item.append(link, " · " + [suite, metric, machine].join(" · "));
    place.append(item);
  }
}

function chart(figure) {
  const svg = figure.querySelector("svg.chart");
  if (!svg.dataset.plot || !figure.dataset.points) return;
  const [left, top, right, bottom] = svg.dataset.plot.split(" ").map(Number);
  const whole = svg.dataset.x.split(" ").map(Number);
  const wholeY = svg.dataset.y.split(" ").map(Number);
  const drawn = [...svg.childNodes];
  const parts = (text) => text.split(";").filter(Boolean);
  const points = parts(figure.dataset.points).map((part) => part.split(" ").map(Number));
  const levels = parts(figure.dataset.levels).map((part) => part.split(" ").map(Number));
  const named = (text) => parts(text).map((part) => part.split(" ")).map(([at, ...rest]) => [Number(at), ...rest]);
  const changes = named(figure.dataset.changes);
  const told = (text) => named(text).map(([at, ...words]) => [at, words.join(" ")]);
  const tags = told(figure.dataset.tags), accepted = told(figure.dataset.accepted || "");
  const size = Number(figure.dataset.size);
  const unit = figure.dataset.unit;
  const commits = typeof tachographHistory === "undefined" ? [] : tachographHistory;
  const readout = document.getElementById("readout");
  const zoom = document.getElementById("zoom");
  const day = (place) => (commits[place] ? new Date(commits[place][1] * 1000).toISOString().slice(0, 10) : "");
  const time = (place) => (commits[place] ? commits[place][1] : place);
  let view = { from: whole[0], to: whole[1], date: false };
  let cursor = -1;

  const element = (name, attributes, ...inside) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...inside);
    return made;
  };
  const clampPlace = (place) => Math.max(0, Math.min(commits.length - 1, Math.round(place)));
  function across(place) {
    if (!view.date || !commits.length) return left + ((place - view.from) / (view.to - view.from)) * (right - left);
    const [from, to] = [time(clampPlace(view.from)), time(clampPlace(view.to))];
    return left + ((time(clampPlace(place)) - from) / Math.max(1, to - from)) * (right - left);
  }
  const isWhole = () => view.from === whole[0] && view.to === whole[1];

  function draw() {
    if (isWhole() && !view.date) {
      svg.replaceChildren(...drawn);
      view.y = wholeY;
    } else {
      redraw();
    }
    point(cursor);
  }

  function redraw() {
    const seen = points.filter(([x]) => x >= view.from && x <= view.to);
    const values = seen.map(([, y]) => y).sort((a, b) => a - b);
    const quantile = (q) => values[Math.min(values.length - 1, Math.max(0, Math.round(q * (values.length - 1))))];
    const steps = levels.filter(([from, to]) => to >= view.from && from <= view.to);
    let low = Math.min(quantile(0.01) ?? 0, ...steps.map((step) => step[2]));
    let high = Math.max(quantile(0.99) ?? 1, ...steps.map((step) => step[2]));
    const side = Math.max((high - low) * 0.1, Math.abs(high) * 0.005, 1e-12);
    [low, high] = [low - side, high + side];
    view.y = [low, high];
    const down = (y) => bottom - ((Math.min(high, Math.max(low, y)) - low) / (high - low)) * (bottom - top);
    const r = (number) => Math.round(number * 10) / 10;
    const group = (name) => element("g", { class: name });
    const grid = group("grid"), ticksY = group("ticks y"), ticksX = group("ticks x");
    const step = round((high - low) / size / 6);
    const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    ticksY.append(element("text", { x: 4, y: 14 }, unit));
    for (let at = Math.ceil(low / size / step); at * step * size <= high; at++) {
      const y = r(down(at * step * size));
      grid.append(element("path", { d: `M${left} ${y}H${right}` }));
      ticksY.append(element("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, (at * step).toFixed(decimals)));
    }
    let free = left - 40;
    const every = Math.max(1, Math.floor(seen.length / 40));
    for (let at = 0; at < seen.length; at += every) {
      const x = across(seen[at][0]);
      if (x < free || x > right - 20) continue;
      ticksX.append(element("path", { d: `M${r(x)} ${bottom}v4` }),
        element("text", { x: r(x), y: bottom + 17, "text-anchor": "middle" }, day(seen[at][0])));
      free = x + 95;
    }
    const axis = element("g", { class: "axis" }, element("path", { d: `M${left} ${bottom}H${right}` }));
    const tagged = group("tag"), marks = [];
    let freeTag = left;
    for (const [at, name] of tags.filter(([at]) => at >= view.from && at <= view.to)) {
      const x = r(across(at));
      tagged.append(element("path", { d: `M${x} ${top - 34}V${bottom}` }));
      if (x < freeTag) continue;
      tagged.append(element("text", { x: Math.min(x, right + 12 - name.length * 4), y: 14, "text-anchor": "middle" }, name));
      freeTag = x + name.length * 8 + 16;
    }
    let freeMark = left;
    for (const [at, turn, label] of changes.filter(([at]) => at >= view.from && at <= view.to)) {
      const x = r(across(at)), tip = top - 6, up = label.startsWith("+");
      const mark = element("g", { class: "mark " + turn }, element("path", { d: `M${x} ${tip}V${bottom}` }),
        element("path", { d: up ? `M${x - 4} ${tip}h8l-4-8z` : `M${x - 4} ${tip - 8}h8l-4 8z` }));
      if (x >= freeMark) {
        mark.append(element("text", { x: x + 8, y: tip }, label));
        freeMark = x + label.length * 8 + 20;
      }
      marks.push(mark);
    }
    let freeAccepted = left;
    if (accepted.length) {
      marks.push(element("g", { class: "lane" }, element("text", { x: left - 8, y: bottom + 37, "text-anchor": "end" }, "accepted")));
    }
    for (const [at, words] of accepted.filter(([at]) => at >= view.from && at <= view.to)) {
      const x = r(across(at)), y = bottom + 33, reason = words.replace(/^.*?: /, "").slice(0, 40);
      const mark = element("g", { class: "accepted" }, element("title", {}, words));
      if (x >= freeAccepted && x < right - 60) {
        mark.append(element("text", { x: x + 9, y: y + 4 }, reason));
        freeAccepted = x + reason.length * 8 + 20;
      }
      mark.append(element("path", { d: `M${x} ${top}V${bottom}` }), element("path", { d: `M${x - 5} ${y}l3.5 4 6.5-9` }));
      marks.push(mark);
    }
    const dots = thin(seen).map(([x, y]) => `M${r(across(x))} ${r(down(y))}h0`).join("");
    const lines = steps.map(([from, to, y]) =>
      `M${r(Math.max(left, across(Math.max(from, view.from))))} ${r(down(y))}H${r(Math.min(right, across(Math.min(to, view.to))) + 1)}`).join("");
    const bars = seen.length > 200 ? [] : seen.filter((one) => one.length > 2).map(([x, , lo, hi]) =>
      element("path", { d: `M${r(across(x))} ${r(down(lo))}V${r(down(hi))}` }));
    svg.replaceChildren(drawn[0], grid, ticksY, axis, ticksX, tagged, ...marks,
      element("g", { class: "thread" }, ...bars), element("g", { class: "dots" }, element("path", { d: dots })),
      element("g", { class: "steps" }, element("path", { d: lines })));
  }

  // Of many points, the extremes of each column.
  function thin(seen) {
    if (seen.length <= 320) return seen;
    const kept = [];
    const share = Math.ceil(seen.length / 160);
    for (let at = 0; at < seen.length; at += share) {
      const column = seen.slice(at, at + share).sort((one, other) => one[1] - other[1]);
      kept.push(column[0], column[column.length - 1]);
    }
    return kept;
  }

  function round(rough) {
    const power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= rough * 0.999999);
  }

  const show = (value) => Number((value / size).toPrecision(4)) + (unit ? " " + unit : "");

  function point(at) {
    cursor = at;
    svg.querySelector(".cursor")?.remove();
    if (at < 0 || at >= points.length) return;
    const [place, value, low, high] = points[at];
    if (place < view.from || place > view.to) return;
    const x = across(place);
    const y = bottom - ((Math.min(view.y[1], Math.max(view.y[0], value)) - view.y[0]) / (view.y[1] - view.y[0])) * (bottom - top);
    svg.append(element("g", { class: "cursor" }, element("path", { d: `M${x} ${top}V${bottom}M${x - 4} ${y}h8` })));
    const [hash, , subject] = commits[place] || ["", 0, ""];
    const range = low === undefined ? "" : ` (${show(low)} to ${show(high)})`;
    readout.textContent = [show(value) + range, day(place), hash, subject].filter(Boolean).join(" · ");
  }

  function nearest(event) {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    let best = -1, distance = Infinity;
    points.forEach(([place], at) => {
      const off = Math.abs(across(place) - x);
      if (place >= view.from && place <= view.to && off < distance) [best, distance] = [at, off];
    });
    return { x, best };
  }

  function look(from, to, push) {
    const least = 8;
    if (to - from < least) [from, to] = [(from + to - least) / 2, (from + to + least) / 2];
    from = Math.max(whole[0], from);
    to = Math.min(whole[1], to);
    const all = from === whole[0] && to === whole[1];
    state.write({ from: all ? "" : Math.round(from), to: all ? "" : Math.round(to) }, push);
    apply();
  }

  function apply() {
    const wanted = state.read();
    const number = (key, other) => (wanted.has(key) && Number.isFinite(Number(wanted.get(key))) ? Number(wanted.get(key)) : other);
    const [from, to] = [number("from", whole[0]), number("to", whole[1])];
    const sound = from < to && to >= whole[0] && from <= whole[1];
    view = { from: sound ? from : whole[0], to: sound ? to : whole[1], date: wanted.get("x") === "date" };
    zoom.querySelector("[name=date]").checked = view.date;
    draw();
  }

  const scale = (factor) => {
    const middle = cursor >= 0 ? points[cursor][0] : (view.from + view.to) / 2;
    look(middle - (middle - view.from) * factor, middle + (view.to - middle) * factor, true);
  };
  let start = null;
  svg.addEventListener("pointermove", (event) => {
    const { x, best } = nearest(event);
    point(best);
    if (start === null) return;
    const cursorGroup = svg.querySelector(".cursor");
    if (cursorGroup) {
      cursorGroup.append(element("rect", { x: Math.min(start.x, x), y: top, width: Math.abs(x - start.x), height: bottom - top }));
    }
  });
  svg.addEventListener("pointerdown", (event) => { if (event.button === 0) start = nearest(event); });
  addEventListener("pointerup", (event) => {
    if (start === null) return;
    const end = nearest(event);
    const [one, other] = [points[start.best], points[end.best]];
    if (one && other && Math.abs(end.x - start.x) > 12) look(Math.min(one[0], other[0]), Math.max(one[0], other[0]), true);
    start = null;
  });
  figure.addEventListener("keydown", (event) => {
    if (event.target.closest(".tools")) return;
    const step = event.shiftKey ? 10 : 1;
    const last = points.length - 1;
    const moves = { ArrowLeft: (cursor < 0 ? last + 1 : cursor) - step, ArrowRight: cursor + step, Home: 0, End: last };
    if (event.key in moves) point(Math.max(0, Math.min(last, moves[event.key])));
    else if (event.key === "+" || event.key === "=") scale(0.5);
    else if (event.key === "-") scale(2);
    else if (event.key === "Escape") look(whole[0], whole[1], true);
    else return;
    event.preventDefault();
  });
  zoom.addEventListener("click", (event) => {
    const does = { whole: () => look(whole[0], whole[1], true), in: () => scale(0.5), out: () => scale(2) }[event.target.name];
    if (does) does();
  });
  zoom.querySelector("[name=date]").addEventListener("change", (event) => {
    state.write({ x: event.target.checked ? "date" : "" }, true);
    apply();
  });
  addEventListener("hashchange", apply);
  addEventListener("popstate", apply);
  zoom.hidden = false;
  // Where there is not room for all, the newest is what one came for.
  svg.parentElement.scrollLeft = svg.parentElement.scrollWidth;
  apply();
}

const ends = document.getElementById("ends");
const rows = document.getElementById("rows");
if (ends) compare(ends);
else if (rows) list(rows, document.getElementById("filter"));
const figure = document.getElementById("chart");
if (figure) chart(figure);
