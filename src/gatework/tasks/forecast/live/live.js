"use strict";

// The page of a forecaster: drag the past, and see the forecast, its intervals, what it rests on, and the gates.

const start = (networks) => new ForecastPage(networks);

class ForecastPage {
  constructor(networks) {
    this.forecasters = networks.map((network) => new Forecaster(network));
    this.forecaster = this.forecasters[0];
    this.chart = new ForecastChart(at("series"), {
      changed: (step, value) => { this.values[step] = value; this.step = step; this.show(); },
      choose: (step) => { this.step = step; this.show(); },
      ahead: (step) => { this.chosen = step; this.show(); },
    });
    networks.forEach((network, k) => at("network").append(element("option", { value: k }, network.name)));
    at("network").addEventListener("input", () => { this.forecaster = this.forecasters[at("network").value]; this.arrange(); });
    at("window").addEventListener("input", () => this.begin());
    at("reset").addEventListener("click", () => this.begin());
    this.gates = new GatesPanel({ choose: (j) => { this.step = this.lastOf(j); this.show(); }, changed: () => this.show() });
    at("ahead").addEventListener("input", () => { this.chosen = Number(at("ahead").value) - 1; this.show(); });
    this.arrange();
    theme.watch(() => { colours.reset(); this.show(); });
  }

  arrange() {
    const { layers, windows, plan, answeredBy, missingAhead, others } = this.forecaster;
    at("window").replaceChildren(...windows.map((window, k) => element("option", { value: k }, window.title || `the series up to ${window.times[plan.window - 1]}`)));
    at("window-label").hidden = windows.length < 2;
    at("ahead").max = plan.horizon;
    const those = others.length ? "these networks" : "the network";
    at("answered").textContent = [
      others.length ? `The forecast is the mean of ${others.length + 1} networks; the gates are those of the first.` : "",
      answeredBy ? `The page shows ${those} alone; gatework predict answers by ${answeredBy}.` : "",
      windows.some(({ rests }) => rests.length) ? "Steps at which a series was always 0 are forecast as 0 until points there are lifted." : "",
      missingAhead.length ? `Here the table's last ${plan.horizon} steps are forecast: what follows them needs ${missingAhead.join(", ")}, which gatework inspect RUN FILE takes.` : "",
    ].filter(Boolean).join(" ");
    this.gates.arrange(layers);
    this.begin();
  }

  begin() {
    this.window = this.forecaster.windows[at("window").value || 0];
    this.values = [...this.window.values];
    this.step = this.values.length - 1;
    this.chosen = 0;
    this.show();
  }

  lastOf(j) {
    return Math.min((j + 1) * this.forecaster.plan.segment, this.values.length) - 1;
  }

  segmentOf(step) {
    return Math.floor(step / this.forecaster.plan.segment);
  }

  show() {
    const { forecaster, window, values } = this, { plan, median, levels } = forecaster;
    const { quantiles, traces, count } = forecaster.answer(values, window);
    const colour = colourOf(forecaster, forecaster.number).replace("--c: ", "");
    this.chart.draw(values, quantiles, { step: this.step, chosen: this.chosen, median, colour, times: window.times });
    const row = quantiles[this.chosen], time = window.times[plan.window + this.chosen], low = levels.indexOf(0.1), wide = levels.indexOf(0.025);
    at("said").textContent = `${time}: ${inFour(row[median])}; 80 % between ${inFour(row[low])} and ${inFour(row.at(-1 - low))}, 95 % between ${inFour(row[wide])} and ${inFour(row.at(-1 - wide))}.`;
    at("point").textContent = `${window.times[this.step]}: ${inFour(values[this.step])}${values[this.step] === window.values[this.step] ? "" : `, was ${inFour(window.values[this.step])}`}`;
    at("ahead").value = this.chosen + 1;
    at("ahead-name").textContent = `${this.chosen + 1} of ${plan.horizon}`;
    this.explain(count);
    this.gates.show(traces, count, Math.min(this.segmentOf(this.step), count - 1), (j) => window.times[this.lastOf(j)]);
    document.body.dataset.said = row[median];
  }

  explain(count) {
    const moved = this.forecaster.why(this.values, this.window, this.chosen), chosen = Math.min(this.segmentOf(this.step), count - 1);
    const label = `What each part of the past does to the forecast of step ${this.chosen + 1}`;
    at("why").replaceChildren(barChart(moved, { from: 0, step: chosen, label, choose: (j) => { this.step = this.lastOf(j); this.show(); } }));
    const size = this.forecaster.plan.segment, from = this.window.times[chosen * size], to = this.window.times[this.lastOf(chosen)];
    at("why-words").textContent = `${size > 1 ? `${from} to ${to}` : to}: ${moved[chosen] < 0 ? "−" : "+"}${inFour(Math.abs(moved[chosen]))}`;
  }
}
