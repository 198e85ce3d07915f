(() => {
  "use strict";
  document.documentElement.classList.add("js");
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const number = (cell) => {
    const value = cell ? cell.dataset.value : undefined;
    return value === undefined || value === "" ? null : Number(value);
  };
  const text = (cell) => (cell ? cell.dataset.text || cell.textContent.trim() : "");

  /* Sorting: a button in every heading of a sortable table; rows without a value stay last. */
  for (const table of all("table[data-sortable]")) {
    const heads = all("thead tr:last-child th", table);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const start = head.dataset.first || "ascending";
        const other = start === "ascending" ? "descending" : "ascending";
        const way = head.getAttribute("aria-sort") === start ? other : start;
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", way);
        const sign = way === "ascending" ? 1 : -1;
        for (const body of table.tBodies) {
          const rows = [...body.rows];
          const numeric = rows.some((row) => number(row.cells[column]) !== null);
          rows.sort((a, b) => {
            if (!numeric) return sign * text(a.cells[column]).localeCompare(text(b.cells[column]));
            const x = number(a.cells[column]), y = number(b.cells[column]);
            if (x === null || y === null) return (x === null) - (y === null);
            return sign * (x - y);
          });
          body.append(...rows);
        }
      });
    });
  }

  /* Pictures: choose the metric that chose them. What is not in sight waits in templates, its pictures in #stored. */
  const chooser = document.getElementById("chooser");
  if (chooser) {
    const order = ["best", "median", "worst", "random"];
    const stored = {};
    const unpack = () => {
      const data = document.getElementById("stored");
      if (!data) return;
      Object.assign(stored, JSON.parse(data.textContent));
      for (const image of all(".grid img[src]")) stored[image.dataset.n] = image.src;
      for (const store of all(".grid template")) store.replaceWith(store.content);
      data.remove();
    };
    const show = () => {
      unpack();
      let count = 0;
      for (const article of all(".grid article")) {
        const found = [];
        for (const strip of all(".strip[data-by]", article)) {
          const by = JSON.parse(strip.dataset.by);
          const chosen = by[chooser.value] || by[""];
          strip.hidden = !chosen;
          if (!chosen) continue;
          const [name, said] = chosen;
          const title = strip.querySelector(".case b");
          title.className = title.textContent = name;
          strip.querySelector(".by").textContent = said;
          for (const image of all("img:not([src])", strip)) image.src = stored[image.dataset.n];
          strip.querySelector(".look").hidden = false;
          found.push([order.indexOf(name), strip]);
        }
        found.sort((a, b) => a[0] - b[0]);
        article.append(...found.map((each) => each[1]));
        count += found.length;
      }
      const label = chooser.selectedOptions[0].textContent;
      chooser.parentElement.querySelector("[role=status]").textContent = `${count} frames, by ${label}`;
    };
    chooser.parentElement.hidden = false;
    chooser.addEventListener("change", show);
    if (!chooser.selectedOptions[0].defaultSelected) show();
  }

  /* Zoom: a picture large, under it the one that a slider wipes away. */
  const zoom = document.getElementById("zoom");
  if (zoom) {
    const under = zoom.querySelector(".under"), over = zoom.querySelector(".over");
    const slider = zoom.querySelector("input"), below = zoom.querySelector("select");
    const title = zoom.querySelector("h2"), scores = zoom.querySelector(".all-scores");
    let parts = [];
    const wipe = () => { over.style.clipPath = `inset(0 0 0 ${slider.value}%)`; };
    const place = () => {
      const part = parts.find((image) => image.title === below.value) || parts[0];
      under.src = part.src;
      under.alt = part.alt;
    };
    slider.addEventListener("input", wipe);
    below.addEventListener("change", place);
    zoom.querySelector(".close").addEventListener("click", () => zoom.close());
    zoom.addEventListener("click", (event) => { if (event.target === zoom) zoom.close(); });
    const open = (strip) => {
      parts = all("img", strip);
      const swap = parts.find((image) => image.title === "swap") || parts[0];
      over.src = swap.src;
      over.alt = swap.alt;
      below.replaceChildren(...parts.filter((image) => image !== swap).map((image) => {
        const option = document.createElement("option");
        option.textContent = option.value = image.title;
        option.selected = image.title === "target";
        return option;
      }));
      title.textContent = `${strip.dataset.title}: ${strip.querySelector(".case b").textContent}`;
      scores.textContent = all("details span", strip).map((each) => each.textContent).join(", ");
      slider.value = 50;
      place();
      wipe();
      zoom.showModal();
    };
    for (const button of all("button.look")) button.hidden = false;
    document.querySelector("#pictures .grid").addEventListener("click", (event) => {
      if (event.target.matches("button.look, button.look *, .strip img")) open(event.target.closest(".strip"));
    });
  }
})();
