// What the drawn kinds share: the SVG element, axes with as many names as there is room for, legends, the tip under the
// pointer and the arrow keys.

// An SVG in `box`; `label` is what it is to who cannot see it.
function drawing(box, width, height, label) {
  const holder = h('div', { class: 'drawing' });
  box.append(holder);
  return d3.select(holder).append('svg').attr('width', width).attr('height', height)
    .attr('viewBox', `0 0 ${width} ${height}`).attr('role', 'img').attr('aria-label', label)
    .attr('tabindex', chosen.print ? null : 0);
}

// The names of a band axis at `step` pixels each: all if they have room lying or turned, else every n-th.
function bandNames(names, step) {
  const texts = cutAll(names, 20);
  const width = widest(texts);
  const numbers = names.every((name) => String(name).length <= 4);
  const turned = width + 6 > step && !numbers;
  const needs = turned ? 13 : width + 6;
  const every = Math.max(1, Math.ceil(needs / step));
  return { texts, turned, every, depth: turned ? width * 0.72 + 12 : 18, reach: turned ? width * 0.72 : width / 2 };
}

// Draws them below y = `y`; `place(i)` is the middle of band i.
function drawBandNames(svg, layout, y, place) {
  const axis = svg.append('g').attr('class', 'axis');
  layout.texts.forEach((text, i) => {
    if (i % layout.every) return;
    const name = axis.append('text').text(text);
    if (layout.turned) name.attr('transform', `translate(${place(i) + 4},${y + 11}) rotate(-45)`).attr('text-anchor', 'end');
    else name.attr('x', place(i)).attr('y', y + 14).attr('text-anchor', 'middle');
  });
}

function axisTitles(svg, { x, y, left, right, bottom }) {
  const titles = svg.append('g').attr('class', 'titles');
  if (y) titles.append('text').attr('x', 2).attr('y', 12).text(y);
  if (x) { // in the middle, unless it is too long for that
    const half = textWidth(x) / 2, middle = Math.max(half, Math.min((left + right) / 2, svg.node().viewBox.baseVal.width - half));
    titles.append('text').attr('x', middle).attr('y', bottom).attr('text-anchor', 'middle').text(x);
  }
}

// A numeric plot: scales, grid and axes. Returns { svg, x, y, left, right, top, bottom }.
function plot(box, card, { width, height, xDomain, yDomain, xLabel, yLabel, square, log }) {
  const yTicks = log ? powers(yDomain) : d3.scaleLinear().domain(yDomain).ticks(5);
  const left = Math.max(28, widest(yTicks.map(say)) + 14);
  const right = width - 16;
  const top = yLabel ? 30 : 14;
  if (square && width < 700) height = Math.min(440, Math.max(200, right - left)) + top + 44;
  const bottom = height - (xLabel ? 42 : 24);
  const x = d3.scaleLinear().domain(xDomain).range([left, square && width < 700 ? Math.min(right, left + bottom - top) : right]);
  const y = (log ? d3.scaleLog() : d3.scaleLinear()).domain(yDomain).range([bottom, top]);
  const svg = drawing(box, width, height, card.view.title);
  const axis = (maker, ticks) => maker.ticks(ticks).tickFormat(say).tickSizeOuter(0);
  svg.append('g').attr('class', 'grid').attr('transform', `translate(${left},0)`)
    .call(axis(d3.axisLeft(y), 5).tickValues(yTicks).tickSize(-(x.range()[1] - left)).tickPadding(8));
  svg.append('g').attr('class', 'axis').attr('transform', `translate(0,${bottom})`)
    .call(axis(d3.axisBottom(x), Math.max(2, Math.min(8, (x.range()[1] - left) / 70))));
  axisTitles(svg, { x: xLabel, y: yLabel, left, right: x.range()[1], bottom: height - 6 });
  return { svg, x, y, left, right: x.range()[1], top, bottom };
}

// In a plot that would be empty: why.
function nothing(svg, width, height) {
  svg.append('text').attr('class', 'nothing').attr('x', width / 2).attr('y', height / 2).attr('text-anchor', 'middle').text('no values');
}

// From the least to the largest of some values, with room where all are equal; [0, 1] where there are none.
function extent(values) {
  let [low, high] = d3.extent(values.filter((value) => value != null));
  if (low == null) return [0, 1];
  if (low === high) { low -= Math.abs(low) * 0.1 || 0.5; high += Math.abs(high) * 0.1 || 0.5; }
  return [low, high];
}

// The same for an axis of amounts, which begins at 0 unless that would press all into its upper part.
function amounts(values, { min, max } = {}) {
  let [low, high] = extent(values);
  if (values.length && d3.min(values) >= 0) low = d3.min(values) < 0.6 * high ? 0 : Math.max(0, low);
  const nice = d3.scaleLinear().domain([min == null ? low : min, max == null ? high : max]).nice(5).domain();
  return [min == null ? nice[0] : min, max == null ? nice[1] : max];
}

// The same for an axis of powers of ten: whole ones, and those that are named.
function decades(values) {
  const [low, high] = extent(values.map((value) => (value > 0 ? Math.log10(value) : null)));
  return [10 ** Math.floor(low), 10 ** Math.max(Math.ceil(high), Math.floor(low) + 1)];
}

function powers([low, high]) {
  const from = Math.round(Math.log10(low)), to = Math.round(Math.log10(high)), every = Math.ceil((to - from) / 6);
  return d3.range(from, to + 1, every).map((power) => Number(`1e${power}`));
}

// A legend; with `toggle`, its entries switch series off and on.
function legend(box, entries, toggle) {
  const list = h('div', { class: entries.length > 12 ? 'legend many' : 'legend' });
  entries.forEach(({ name, colour, dash, off, line }, i) => {
    const mark = d3.create('svg').attr('width', 22).attr('height', 10).attr('aria-hidden', 'true');
    if (line) mark.append('path').attr('class', 'line').attr('d', 'M0 5H22').attr('stroke-dasharray', dash).style('--c', colour);
    else mark.append('rect').attr('class', 'bar-mark').attr('x', 5).attr('width', 12).attr('height', 10).style('--c', colour);
    list.append(toggle
      ? h('button', { type: 'button', 'aria-pressed': String(!off), title: off ? 'Show' : 'Hide', click: () => toggle(i) }, mark.node(), String(name))
      : h('span', null, mark.node(), String(name)));
  });
  box.append(list);
}

// What is under the pointer, or where the arrow keys have gone. `find(x, y)` gives a place or null; `step(place, key)` the next
// one by a key; `show(place)` draws it and returns { x, y, heading, lines }; `clear()` takes it away.
function explore(svg, { find, step, show, clear }) {
  const node = svg.node();
  let place = null;
  const at = (next, speaks) => {
    place = next;
    if (place == null) { clear(); hideTip(); return; }
    const { x, y, heading, lines } = show(place);
    const box = node.getBoundingClientRect();
    const scale = box.width / node.viewBox.baseVal.width;
    showTip(box.left + x * scale, box.top + y * scale, heading, lines);
    if (speaks) speak();
  };
  node.addEventListener('pointermove', (event) => {
    const box = node.getBoundingClientRect();
    const scale = node.viewBox.baseVal.width / box.width;
    at(find((event.clientX - box.left) * scale, (event.clientY - box.top) * scale));
  });
  node.addEventListener('pointerleave', () => at(null));
  node.addEventListener('blur', () => at(null));
  node.addEventListener('keydown', (event) => {
    if (!event.key.startsWith('Arrow')) return;
    const next = step(place, event.key.slice(5));
    if (next == null) return;
    event.preventDefault();
    at(next, true);
  });
}
