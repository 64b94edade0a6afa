"use strict";

// Each recording as a spectrogram with the letters heard in it, and a line that moves with the sound.
(() => {
  const HEIGHT = 100, FOOT = 176, GROUND = 112, NEAR = 0.1;

  // "#rrggbb" as its three numbers.
  const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

  function spectrogram(context, width, item) {
    const shades = Uint8Array.from(atob(item.picture), (letter) => letter.charCodeAt(0));
    const frames = shades.length / item.bands;
    const image = new ImageData(frames, item.bands);
    const [red, green, blue] = channels(theme.colour("--ink"));
    for (let frame = 0; frame < frames; frame += 1)
      for (let band = 0; band < item.bands; band += 1)
        image.data.set([red, green, blue, shades[frame * item.bands + band]],
          4 * ((item.bands - 1 - band) * frames + frame));
    const small = new OffscreenCanvas(frames, item.bands);
    small.getContext("2d").putImageData(image, 0, 0);
    context.drawImage(small, 0, 0, width, HEIGHT);
  }

  function spikes(context, width, item) {
    context.strokeStyle = theme.colour("--rule");
    context.beginPath();
    context.moveTo(0, FOOT - 16);
    context.lineTo(width, FOOT - 16);
    context.stroke();
    context.strokeStyle = context.fillStyle = theme.colour("--link");
    context.lineWidth = 2;
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "center";
    item.spikes.forEach(([at, letter, share]) => {
      const x = Math.min((at / item.seconds) * width, width - 4);
      context.beginPath();
      context.moveTo(x, FOOT - 16);
      context.lineTo(x, FOOT - 16 - share * (FOOT - 16 - GROUND));
      context.stroke();
      const isHighest = item.spikes.every(([other, same, more]) => same !== letter || Math.abs(other - at) > NEAR || more <= share);
      if (share > 0.4 && letter !== " " && isHighest) context.fillText(letter, x, FOOT);
    });
  }

  function draw(item, place) {
    const canvas = document.getElementById(`heard-${place}`);
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    spectrogram(context, canvas.width, item);
    spikes(context, canvas.width, item);
  }

  function follow(item, place) {
    const sound = document.getElementById(`sound-${place}`);
    if (!sound) return;
    const line = document.getElementById(`heard-${place}`).nextElementSibling;
    const move = () => {
      line.hidden = sound.paused;
      line.style.left = `${100 * Math.min(sound.currentTime / item.seconds, 1)}%`;
      if (!sound.paused) requestAnimationFrame(move);
    };
    sound.addEventListener("play", move);
    sound.addEventListener("pause", move);
  }

  const drawAll = () => data.sections.listening.forEach(draw);
  drawAll();
  theme.watch(drawAll);
  data.sections.listening.forEach(follow);
})();
