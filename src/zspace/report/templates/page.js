"use strict";
// The page is whole without this script: it only offers figures and numbers as files.
function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
function cell(node) {
  const exact = node.querySelector("data");
  const text = exact ? exact.value : node.textContent.trim().replace(/\u2212/g, "-").replace(/(\d),(?=\d{3})/g, "$1");
  return '"' + text.replace(/"/g, '""') + '"';
}
function csv(details) {
  const ready = details.querySelector("pre.csv");
  if (ready) return ready.textContent;
  return [...details.querySelectorAll("tr")].map((row) => [...row.cells].map(cell).join(",")).join("\n");
}
for (const button of document.querySelectorAll("button[data-save]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    if (button.dataset.save === "svg") {
      const svg = button.closest("figure").querySelector(".svg svg");
      save(button.dataset.name + ".svg", "image/svg+xml", new XMLSerializer().serializeToString(svg));
    } else {
      save(button.dataset.name + ".csv", "text/csv", csv(button.closest("details")));
    }
  });
}
