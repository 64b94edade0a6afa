"use strict";

// The page of a classifier of sounds: play a recording, and see what is heard, the gates and the memory under a line.

const start = (networks) => new ListeningPage(networks);
const HOP = 0.01; // seconds of a frame
const SHOWN_CLASSES = 4;

class ListeningPage {
  constructor(networks) {
    this.listeners = networks.map((network) => new Listener(network));
    this.listener = this.listeners[0];
    this.gates = new GatesPanel({ choose: (step) => this.seek(step), changed: () => this.look() });
    networks.forEach((network, k) => at("network").append(element("option", { value: k }, network.name)));
    at("network").addEventListener("input", () => { this.listener = this.listeners[at("network").value]; this.arrange(); });
    at("recording").addEventListener("input", () => this.begin());
    at("direction").addEventListener("input", () => { this.gates.direction = Number(at("direction").value); this.look(); });
    at("sound").addEventListener("play", () => this.follow());
    at("sound").addEventListener("seeked", () => this.go(this.stepNow()));
    this.arrange();
    theme.watch(() => { colours.reset(); this.show(); });
  }

  arrange() {
    const { listener } = this, { layers, recordings, answeredBy } = listener;
    at("recording").replaceChildren(...recordings.map((one, k) => element("option", { value: k }, one.title)));
    at("answered").textContent = answeredBy ? `The page shows the network alone; gatework predict answers by ${answeredBy}.` : "";
    at("direction-label").hidden = layers.directions < 2;
    this.gates.direction = Math.min(this.gates.direction, layers.directions - 1);
    at("direction").value = this.gates.direction;
    this.picture = new HeatMap("Sound", "log energies of mel bands, the highest at the top", listener.bands, false, (band, frame) => this.seek(Math.floor(frame / listener.stack)));
    at("picture").replaceChildren(this.picture.figure);
    at("picture").style.cssText = `--units: ${listener.bands}`;
    this.gates.arrange(layers);
    this.begin();
  }

  begin() {
    const recording = this.listener.recordings[at("recording").value || 0];
    Object.assign(this, { recording, heard: this.listener.hear(recording), step: 0 });
    at("sound").src = recording.sound;
    at("sound").hidden = !recording.sound;
    this.show();
  }

  get secondsOfStep() {
    return HOP * this.listener.stack;
  }

  stepNow() {
    return Math.max(0, Math.min(this.heard.steps - 1, Math.floor(at("sound").currentTime / this.secondsOfStep)));
  }

  // A place that was clicked is where the sound goes on.
  seek(step) {
    if (this.recording.sound) at("sound").currentTime = step * this.secondsOfStep;
    this.go(step);
  }

  follow() {
    if (at("sound").paused || at("sound").ended) return;
    this.go(this.stepNow());
    requestAnimationFrame(() => this.follow());
  }

  go(step) {
    if (step === this.step) return;
    this.step = step;
    this.look();
  }

  // All that changes with the recording.
  show() {
    const { listener, recording, heard } = this;
    this.picture.draw(listener.bandsOf(recording), recording.frames, 0, (frame) => `${shown(frame * HOP, 2)} s`);
    const order = Array.from(heard.chances.keys()).sort((a, b) => heard.chances[b] - heard.chances[a]);
    this.likeliest = order.slice(0, SHOWN_CLASSES);
    at("said").textContent = `${listener.classes[order[0]]}, ${Math.round(100 * heard.chances[order[0]])} %`;
    this.look();
    document.body.dataset.said = listener.classes[order[0]];
  }

  // All that changes with the moment.
  look() {
    const { listener, heard, step } = this, choose = (k) => this.seek(k);
    this.picture.mark(-1, Math.min(step * listener.stack, this.recording.frames - 1));
    const lines = this.likeliest.map((k, n) => ({ name: listener.classes[k], colour: LINES[n], values: Float64Array.from(heard.shares, (row) => row[k]) }));
    const label = lines.map((line) => `${line.name} ${shown(line.values[step], 2)}`).join(", ");
    at("shares").replaceChildren(lineChart(lines, { from: 0, low: 0, high: 1, step, choose, label }));
    this.gates.show(heard.traces, heard.steps, step, (k) => `${shown(k * this.secondsOfStep, 2)} s`);
  }
}
