"use strict";

// The page of a network that transcribes: play a recording, and see its letters, the gates and the memory under a line.

const start = (networks) => new TranscribingPage(networks.map((network) => new SpeechListener(network)));
const NAMED = 4; // units that are named at a moment, of those that are 0.01 and more as they are written

class TranscribingPage extends SoundPage {
  begin() {
    this.spikes ??= new Spikes((step) => this.seek(step));
    at("spikes").replaceChildren(this.spikes.area, this.spikes.ticks);
    super.begin();
  }

  nameOf(unit) {
    const name = unit === BLANK ? "nothing new" : this.listener.units[unit - 1];
    return name === " " ? "␣" : name;
  }

  show() {
    const { recording, heard, listener } = this;
    this.spikes.draw(heard, (unit) => this.nameOf(unit), recording.frames / listener.stack, this.secondsOfStep);
    this.words = recording.words.map(([word, from, to, sure]) => {
      const said = element("button", { type: "button", title: `${shown(from, 2)} to ${shown(to, 2)} s, sure: ${shown(sure, 2)}`, style: `--sure: ${sure}` }, word);
      said.addEventListener("click", () => this.seek(Math.floor(from / this.secondsOfStep)));
      return { said, from, to };
    });
    at("words").replaceChildren(...(this.words.length ? this.words.flatMap(({ said }) => [said, " "]) : [element("em", {}, "no word")]));
    super.show();
    document.body.dataset.said = heard.text;
  }

  look() {
    super.look();
    const { heard, listener, step } = this, seconds = (step + 0.5) * this.secondsOfStep;
    this.spikes.mark(step);
    const so = listener.textOf(heard.letters.filter(({ first }) => first <= step));
    const said = [element("span", { class: "heard" }, so), element("span", { class: "to-come" }, heard.text.slice(so.length))];
    at("said").replaceChildren(...(heard.text ? said : [element("em", {}, "no letter")]));
    const row = heard.shares[step], order = Array.from(row.keys()).filter((unit) => row[unit] >= 0.005).sort((a, b) => row[b] - row[a]).slice(0, NAMED);
    at("moment").textContent = `At ${shown(seconds, 2)} s: ${order.map((unit) => `${this.nameOf(unit)} ${shown(row[unit], 2)}`).join(", ")}`;
    this.words.forEach(({ said, from, to }) => said.classList.toggle("now", from <= seconds && seconds < to));
  }
}
