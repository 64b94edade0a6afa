"use strict";

// The end of each series with its forecast.
data.sections.future.forEach((chart, k) => charts.add(`future-${k}`, chart));
