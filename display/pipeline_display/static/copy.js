/* A button that copies a text, and selects it where the clipboard is out of reach (a page over plain HTTP elsewhere). */

const SAID_MS = 2000;

export function offerCopy(button, source) {
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      say(button, "Copied");
    } catch {
      getSelection().selectAllChildren(source);
      say(button, "Selected");
    }
  });
}

function say(button, word) {
  const before = button.dataset.label ?? (button.dataset.label = button.textContent);
  button.textContent = word;
  setTimeout(() => { button.textContent = before; }, SAID_MS);
}
