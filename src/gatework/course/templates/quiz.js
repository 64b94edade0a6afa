(() => {
  // JupyterQuiz reports every step on the console; a reader's console stays for errors.
  const console = { log() {}, error: (...told) => window.console.error(...told) };
  /* JupyterQuiz */
  /* answer_set.js */
  for (const place of document.querySelectorAll("[data-quiz]")) {
    const held = document.getElementById(place.dataset.quiz);
    Object.assign(place.dataset, { shufflequestions: "False", shuffleanswers: "True", preserveresponses: "false", maxwidth: "640" });
    show_questions(JSON.parse(atob(held.textContent)), place);
    judgedTogether(place);
    for (const feedback of place.querySelectorAll(".Feedback")) feedback.setAttribute("aria-live", "polite");
    const question = place.querySelector(".MultipleChoiceQn, .ManyChoiceQn");
    question?.parentElement.setAttribute("role", "group");
    question?.parentElement.setAttribute("aria-label", question.textContent);
    // In a browser an arrow key chooses the answer that it moves to. Here it moves alone; Space and Enter answer.
    const choices = [...place.querySelectorAll("input[type=radio]")];
    for (const [k, choice] of choices.entries()) {
      choice.addEventListener("keydown", (event) => {
        const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
        if (step) choices.at((k + step) % choices.length).focus();
        else if (event.key === "Enter") choice.click();
        else return;
        event.preventDefault();
      });
    }
    for (const input of place.querySelectorAll("input[type=text]")) {
      const asked = place.querySelector(".NumericQn, .StringQn").textContent;
      input.setAttribute("aria-label", `Your answer to: ${asked.trim()}`);
      input.setAttribute("autocomplete", "off");
      const label = place.querySelector(".InpLabel");
      label.textContent = "Your answer";
      label.setAttribute("for", input.id);
      const send = document.createElement("button");
      send.type = "button";
      send.className = "send";
      send.textContent = "Check";
      // The library listens for the Enter key only, which a telephone's number pad may lack.
      // The library drops a decimal comma, and 0,668 would be read as 668.
      const check = input.onkeypress;
      if (check.name === "numeric_keypress") {
        input.onkeypress = (event) => {
          if (event.key !== ",") return check.call(input, event);
          if (!input.value.includes(".")) input.setRangeText(".", input.selectionStart, input.selectionEnd, "end");
          return false;
        };
      }
      send.addEventListener("click", () => input.onkeypress({ which: 13, keyCode: 13 }));
      input.after(send);
    }
  }
})();
