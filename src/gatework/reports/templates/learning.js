"use strict";

// By epoch, for the loss and for the deciding metric: a panel per network on one shared axis, then validation of all in one.
(data.learning ?? []).forEach((quantity) => {
  const epochs = Math.max(...quantity.panels.flatMap((p) => p.seeds.map((s) => s.epoch[s.epoch.length - 1])));
  const xaxis = () => plots.axis({ range: [Math.min(1, epochs) - 0.02 * epochs, epochs * 1.02], showgrid: false,
    title: plots.titled("epoch"), ...plots.whole(epochs) });
  const line = (x, y, name, width, colour, dash) =>
    ({ x, y, name: plots.escaped(name), mode: x.length > 1 ? "lines" : "markers", line: { width, color: colour, dash },
       marker: { color: colour }, connectgaps: false, hovertemplate: "%{fullData.name}<br>epoch %{x}: %{y:.4g}<extra></extra>" });

  quantity.panels.forEach((panel, k) => plots.add(`learning-${quantity.name}-${k}`, () => {
    const { colour } = plots.look(panel.model);
    const thin = plots.faded(colour, 0.5);
    const isAlone = panel.seeds.length === 1;
    const traces = panel.seeds.flatMap((seed) => [
      line(seed.epoch, seed.train, `${seed.name}, training`, isAlone ? 2.2 : 1, isAlone ? colour : thin, "dot"),
      line(seed.epoch, seed.validation, `${seed.name}, validation`, 1, thin, "solid")]);
    if (!isAlone) {
      traces.push(line(panel.mean.epoch, panel.mean.train, "mean, training", 2.2, colour, "dot"));
    }
    traces.push(line(panel.mean.epoch, panel.mean.validation, "mean, validation", 2.6, colour, "solid"));
    const best = panel.seeds.filter((seed) => seed.best);
    traces.push({ x: best.map((s) => s.best[0]), y: best.map((s) => s.best[1]), mode: "markers", name: "best epoch",
      marker: { symbol: "circle-open", size: 8, color: colour, line: { width: 1.6 } },
      hovertemplate: "best epoch of a seed<br>epoch %{x}: %{y:.4g}<extra></extra>" });
    return { traces, layout: { xaxis: xaxis(), yaxis: plots.axis({ ...quantity.axis }) } };
  }));

  const overlay = `learning-${quantity.name}-overlay`;
  plots.add(overlay, () => {
    const place = ([low, high], value) =>
      ((quantity.overlay.type === "log" ? Math.log10(value) : value) - low) / (high - low);
    const ends = [];
    const traces = quantity.panels.flatMap((panel) => {
      const { colour, dash } = plots.look(panel.model);
      const values = panel.mean.validation.filter((v) => v !== null);
      if (values.length) {
        ends.push({ share: place(quantity.overlay.range, values[values.length - 1]), text: panel.model, colour });
      }
      return [
        ...panel.seeds.map((s) => line(s.epoch, s.validation, s.name, 1, plots.faded(colour, 0.4), dash)),
        line(panel.mean.epoch, panel.mean.validation, `${panel.model}, mean`, 2.6, colour, dash)];
    });
    const height = document.getElementById(overlay).clientHeight - 50;
    const longest = Math.max(...ends.map((end) => end.text.length), 4);
    return { traces, layout: { xaxis: xaxis(), yaxis: plots.axis({ ...quantity.overlay }),
      annotations: plots.endLabels(ends, height), margin: { l: 44, r: 20 + 7.5 * Math.min(longest, 16), t: 8, b: 34 } } };
  });
});
