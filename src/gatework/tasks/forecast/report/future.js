"use strict";

// The end of each series with its forecast, in the colour of the network.
(() => {
  const { name, charts: drawn } = data.sections.future;
  drawn.forEach((chart, k) => charts.add(`future-${k}`, chart, () => plots.look(name).colour));
})();
