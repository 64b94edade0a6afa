"use strict";

// A part's own page of recordings: one is played, and all that is shown of it stands at the step that is heard.
// The elements stand in _recording.html and _gates.html; `show()` and `look()` of the part draw the rest.

const HOP = 0.01; // seconds of a frame
const ROUNDING = 1e-3; // of a step, by which the player's clock, in whole microseconds, may stand before its begin

class SoundPage {
  // A listener has `layers`, `bands`, `stack`, `recordings` and `hear(recording)`, which gives its steps and traces.
  constructor(listeners) {
    this.listeners = listeners;
    this.listener = listeners[0];
    this.gates = new GatesPanel({ choose: (step) => this.seek(step), changed: () => this.look() });
    listeners.forEach((listener, k) => at("network").append(element("option", { value: k }, listener.name)));
    at("network").addEventListener("input", () => { this.listener = listeners[at("network").value]; this.arrange(); });
    at("recording").addEventListener("input", () => this.begin());
    at("direction").addEventListener("input", () => { this.gates.direction = Number(at("direction").value); this.look(); });
    at("sound").addEventListener("play", () => this.follow());
    at("sound").addEventListener("seeked", () => this.go(this.stepNow()));
    this.arrange();
    theme.watch(() => { colours.reset(); this.show(); });
  }

  // Takes over the network that is looked at.
  arrange() {
    const { listener } = this, { layers, recordings } = listener;
    at("recording").replaceChildren(...recordings.map((one, k) => element("option", { value: k }, one.title)));
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
    return Math.max(0, Math.min(this.heard.steps - 1, Math.floor(at("sound").currentTime / this.secondsOfStep + ROUNDING)));
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

  // All that changes with the recording; a part says more of it.
  show() {
    const { listener, recording } = this;
    this.picture.draw(this.bandsOf(recording), recording.frames, 0, (frame) => `${shown(frame * HOP, 2)} s`);
    this.look();
  }

  // All that changes with the moment; a part says more of it.
  look() {
    const { heard, step, recording } = this;
    this.picture.mark(-1, Math.min(step * this.listener.stack, recording.frames - 1));
    this.gates.show(heard.traces, heard.steps, step, (k) => `${shown(k * this.secondsOfStep, 2)} s`);
  }

  // The bands of every frame, the highest band first, as a map shows them.
  bandsOf(recording) {
    const { bands } = this.listener, turned = zeros(recording.frames * bands);
    for (let t = 0; t < recording.frames; t++) {
      for (let k = 0; k < bands; k++) turned[t * bands + bands - 1 - k] = recording.x[t * bands + k];
    }
    return turned;
  }
}
