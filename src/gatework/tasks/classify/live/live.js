"use strict";

// The page of a classifier of sounds: play a recording, and see what is heard, the gates and the memory under a line.

const start = (networks) => new ListeningPage(networks.map((network) => new Listener(network)));
const SHOWN_CLASSES = 4;

class ListeningPage extends SoundPage {
  arrange() {
    const { answeredBy } = this.listener;
    at("answered").textContent = answeredBy ? `The page shows the network alone; gatework predict answers by ${answeredBy}.` : "";
    super.arrange();
  }

  show() {
    const { listener, heard } = this;
    const order = Array.from(heard.chances.keys()).sort((a, b) => heard.chances[b] - heard.chances[a]);
    this.likeliest = order.slice(0, SHOWN_CLASSES);
    at("said").textContent = `${listener.classes[order[0]]}, ${Math.round(100 * heard.chances[order[0]])} %`;
    super.show();
    document.body.dataset.said = listener.classes[order[0]];
  }

  look() {
    super.look();
    const { listener, heard, step } = this, choose = (k) => this.seek(k);
    const lines = this.likeliest.map((k, n) => ({ name: listener.classes[k], colour: LINES[n], values: Float64Array.from(heard.shares, (row) => row[k]) }));
    const label = lines.map((line) => `${line.name} ${shown(line.values[step], 2)}`).join(", ");
    at("shares").replaceChildren(lineChart(lines, { from: 0, low: 0, high: 1, step, choose, label }));
  }
}
