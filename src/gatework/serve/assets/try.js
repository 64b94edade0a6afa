"use strict";

// Asks the server what it serves, sends what a person writes, and shows the answer as a table.
(() => {
  const at = (id) => document.getElementById(id);
  let models = [], chosen = null, key = "";

  const headers = () => (key ? { Authorization: `Bearer ${key}` } : {});
  const isSmall = (value) => typeof value === "number" && !Number.isInteger(value);
  const plain = (value) => (isSmall(value) ? Number(value.toPrecision(4)) : value);

  // Numbers of a list stand on one line; objects and lists of objects on several.
  function written(value, indent = "") {
    if (Array.isArray(value) && value.some((item) => item && typeof item === "object" && !Array.isArray(item))) {
      return `[\n${value.map((item) => `${indent}  ${JSON.stringify(item, (_, v) => plain(v))}`).join(",\n")}\n${indent}]`;
    }
    if (value && typeof value === "object" && !Array.isArray(value)) {
      const rows = Object.entries(value).map(([name, item]) => `${indent}  ${JSON.stringify(name)}: ${written(item, `${indent}  `)}`);
      return rows.length ? `{\n${rows.join(",\n")}\n${indent}}` : "{}";
    }
    return JSON.stringify(value, (_, v) => plain(v));
  }

  function told(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "object") {
      const parts = Array.isArray(value) ? value.map(told) : Object.entries(value).map(([name, item]) => `${name} ${told(item)}`);
      return parts.join(", ");
    }
    return String(plain(value));
  }

  function fact(term, text) {
    const dt = document.createElement("dt"), dd = document.createElement("dd"), box = document.createElement("div");
    dt.textContent = term;
    dd.textContent = text;
    box.append(dt, dd);
    return box;
  }

  function choose(name) {
    chosen = models.find((model) => model.name === name);
    const facts = [fact("Task", `${chosen.task}, ${chosen.cell}, ${chosen.parameters.toLocaleString("en")} parameters`)];
    facts.push(fact("Takes", chosen.takes.join(", or ") + (chosen.columns.length ? ` (with the column${chosen.columns.length > 1 ? "s" : ""} ${chosen.columns.join(", ")})` : "")));
    const metrics = Object.entries(chosen.metrics).slice(0, 3).map(([title, value]) => `${title} ${value}`);
    facts.push(fact("On its test part", metrics.join(" · ")));
    for (const [option, help] of Object.entries(chosen.options)) facts.push(fact(`Option "${option}"`, help));
    at("facts").replaceChildren(...facts);
    at("body").value = written(chosen.example ?? {});
    answerWith("Nothing was asked yet.", null);
    showCurl();
  }

  function showCurl() {
    const body = at("body").value.replace(/\s*\n\s*/g, " ").replaceAll("'", "'\\''");
    const short = body.length > 400 ? "@request.json" : `'${body}'`;
    const secret = key ? " -H 'Authorization: Bearer KEY'" : "";
    at("curl").textContent = `curl ${location.origin}/predict/${chosen.name}${secret} -d ${short}`;
  }

  function table(rows) {
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const element = document.createElement("table"), head = element.createTHead().insertRow(), body = element.createTBody();
    for (const name of names) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = name;
      head.append(cell);
    }
    for (const row of rows) {
      const line = body.insertRow();
      for (const name of names) line.insertCell().textContent = told(row[name]);
    }
    return element;
  }

  function answerWith(sentence, answers, text = "") {
    at("took").textContent = sentence;
    at("table").replaceChildren(...(answers ? [table(answers)] : []));
    at("json").hidden = !text;
    at("json").textContent = text;
  }

  async function send() {
    const started = performance.now();
    at("took").textContent = "Asking…";
    try {
      const response = await fetch(`predict/${chosen.name}`, { method: "POST", body: at("body").value, headers: headers() });
      const content = await response.json();
      if (!response.ok) {
        answerWith(`Refused (${response.status}): ${content.error}`, null);
        return;
      }
      const took = `${content.answers.length} ${content.answers.length === 1 ? "row" : "rows"} in ${Math.round(performance.now() - started)} ms`;
      answerWith(took, content.answers, JSON.stringify(content, null, 1));
    } catch (error) {
      answerWith(`The server did not answer (${error.message}).`, null);
    }
  }

  async function start() {
    let response;
    try {
      response = await fetch("openapi.json", { headers: headers() });
    } catch (error) {
      at("about").textContent = `The server did not answer (${error.message}).`;
      return;
    }
    at("key-form").hidden = response.status !== 401;
    if (response.status === 401) {
      at("about").textContent = key ? "The server does not know this key." : "This server answers who has a key.";
      return;
    }
    models = (await response.json())["x-models"];
    at("about").textContent = models.length === 1 ? `${models[0].name} is ready.` : `${models.length} models are ready.`;
    at("model").replaceChildren(...models.map((model) => new Option(model.name)));
    at("choice").hidden = models.length === 1;
    at("bench").hidden = false;
    choose(models[0].name);
  }

  at("model").addEventListener("change", () => choose(at("model").value));
  at("send").addEventListener("click", send);
  at("body").addEventListener("input", showCurl);
  at("body").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
  });
  at("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    key = at("key").value;
    start();
  });
  start();
})();
