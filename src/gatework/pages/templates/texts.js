"use strict";

// "show more" on long texts, and copying the command.
document.querySelectorAll(".more").forEach((button) => button.addEventListener("click", () => {
  const rest = button.parentElement.querySelector(".rest");
  rest.hidden = !rest.hidden;
  button.parentElement.querySelector(".ellipsis").hidden = !rest.hidden;
  button.setAttribute("aria-expanded", String(!rest.hidden));
  button.textContent = rest.hidden ? "show more" : "show less";
}));

document.querySelectorAll(".copy").forEach((button) => button.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    button.textContent = "Selected";
  }
}));
