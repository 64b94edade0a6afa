/* Questions with several right answers: boxes to tick, judged together. JupyterQuiz judges each click by itself. */
function judgedTogether(root) {
  for (const question of root.querySelectorAll(".ManyChoiceQn:not([data-together])")) {
    question.dataset.together = "";
    const place = question.parentElement;
    const labels = [...place.querySelectorAll(".MCButton")];
    const feedback = place.querySelector(".Feedback");
    const isRight = (label) => label.dataset.correct === "true";
    const isTicked = (label) => label.querySelector("input").checked;
    const said = (chosen) => chosen.map((label) => `<p>${label.dataset.feedback}</p>`).join("");
    const clear = () => {
      for (const label of labels) label.className = "MCButton";
      feedback.className = "Feedback";
      feedback.replaceChildren();
    };
    const judge = () => {
      clear();
      const ticked = labels.filter(isTicked);
      const wrong = ticked.filter((label) => !isRight(label));
      const missing = labels.filter((label) => isRight(label) && !isTicked(label)).length;
      const isDone = !wrong.length && !missing;
      for (const label of ticked) label.classList.add(isRight(label) ? "correctButton" : "incorrectButton");
      feedback.classList.add(isDone ? "correct" : "incorrect");
      feedback.innerHTML = said(wrong.length ? wrong : ticked);
      const verdict = document.createElement("p");
      if (!ticked.length) verdict.textContent = "Tick every answer that is right, then check.";
      else if (isDone) verdict.textContent = "These are all.";
      else if (!wrong.length) verdict.textContent = `So far right; ${missing === 1 ? "one is" : `${missing} are`} missing.`;
      if (verdict.textContent) feedback.append(verdict);
    };
    for (const label of labels) {
      label.onclick = null;
      const input = label.querySelector("input");
      input.type = "checkbox";
      input.removeAttribute("name");
      input.className = "tick";
      input.style.marginRight = "0.6em";
      input.addEventListener("change", clear);
    }
    const check = document.createElement("button");
    check.type = "button";
    check.className = "send";
    check.textContent = "Check";
    check.addEventListener("click", judge);
    feedback.before(check);
  }
}
