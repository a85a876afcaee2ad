// Heat maps: a path for each of 128 colours, which is drawn and printed fast and sharp whatever the number of cells.

const STEPS = 128;

// What the page keeps of a view while it is looked at.
function heatState(card) {
  const { view, state } = card;
  if (state.frame == null) state.frame = view.frames.length - 1;
  if (state.mode == null) state.mode = view.modes ? view.modes[0] : null;
  return state;
}

// A frame's sums; `by rows` and `by columns` are counts over them.
function sums(values, columns) {
  const rows = values.map((row) => d3.sum(row));
  const cols = d3.range(columns).map((x) => d3.sum(values, (row) => row[x]));
  return { rows, cols };
}

function heatValue(count, mode, row, column) {
  if (count == null) return null;
  if (mode === 'by rows') return row ? count / row : null;
  if (mode === 'by columns') return column ? count / column : null;
  return count;
}

// The largest and the least value of all frames, so that colours mean the same at every step.
function heatDomain(view, mode) {
  let low = 0, high = 0;
  for (const { values } of view.frames) {
    const total = view.modes && sums(values, view.x.names.length);
    values.forEach((row, y) => row.forEach((count, x) => {
      const value = total ? heatValue(count, mode, total.rows[y], total.cols[x]) : count;
      if (value != null) { low = Math.min(low, value); high = Math.max(high, value); }
    }));
  }
  if (view.diverging) { high = Math.max(high, -low); low = -high; }
  return [low, high > low ? high : low + 1];
}

// Rows and columns so that what belongs together lies on the diagonal: each row at the column that has most of it.
function likeness(values, columns) {
  const best = values.map((row) => first(row, (count) => -(count || 0)));
  const held = d3.range(columns).map((x) => d3.sum(best, (column) => column === x));
  const { cols } = sums(values, columns);
  const columnOrder = d3.range(columns).sort((a, b) => held[b] - held[a] || cols[b] - cols[a] || a - b);
  const rank = [];
  columnOrder.forEach((x, i) => { rank[x] = i; });
  const rowOrder = d3.range(values.length).sort((a, b) => rank[best[a]] - rank[best[b]] || values[b][best[b]] - values[a][best[a]] || a - b);
  return { rows: rowOrder, columns: columnOrder };
}

function heatOrder(card) {
  const { view, state } = card;
  if (!state.alike) return { rows: d3.range(view.y.names.length), columns: d3.range(view.x.names.length) };
  return state.order || (state.order = likeness(view.frames[view.frames.length - 1].values, view.x.names.length));
}

function heatSay(card) {
  const { mode } = card.state;
  return (mode || card.view.unit) === 'counts' || card.view.unit === 'count' && !(mode || '').startsWith('by ') ? say
    : mode || card.view.unit === 'share' ? percent : say;
}

// Sizes: as wide as there is room for, cells neither like dots nor like tiles.
function heatLayout(view, order, width) {
  const rows = view.y.names.length, columns = view.x.names.length;
  const rowTexts = cutAll(order.rows.map((y) => view.y.names[y]), width < 480 ? 12 : 24);
  const left = Math.ceil(Math.min(widest(rowTexts), width * 0.34)) + 12;
  const margin = view.modes ? 34 : 0; // of the sums beside
  const room = (width - left - margin - 8) / columns;
  let w = Math.min(96, chosen.print ? room : Math.max(room, 5));
  if (w >= 5) w = Math.floor(w);
  let cell = rows <= 12 ? 30 : rows <= 34 ? 20 : rows <= 70 ? 12 : 9;
  if (chosen.print) cell = Math.min(cell, 700 / rows);
  const names = bandNames(order.columns.map((x) => view.x.names[x]), w);
  const first = names.turned ? Math.max(0, names.reach - left - w / 2) : 0;
  return { rows, columns, rowTexts, left: left + first, top: 26 + margin, w, h: cell, margin, names,
    right: left + first + w * columns, bottom: 26 + margin + cell * rows,
    width: Math.ceil(Math.max(left + first + w * columns + margin + 8, 180)), height: Math.ceil(26 + margin + cell * rows + names.depth + 24) };
}

function drawHeat(box, card, width) {
  const { view } = card, state = heatState(card);
  const { values } = view.frames[state.frame];
  const order = heatOrder(card), at = heatLayout(view, order, width), total = sums(values, at.columns);
  const domain = state.domain && state.domainMode === state.mode ? state.domain : heatDomain(view, state.mode);
  state.domain = domain;
  state.domainMode = state.mode;
  const colour = ramp(view.diverging), format = heatSay(card);
  const value = (row, column) => {
    const y = order.rows[row], x = order.columns[column];
    return view.modes ? heatValue(values[y][x], state.mode, total.rows[y], total.cols[x]) : values[y][x];
  };

  box.classList.add('scroll');
  if (!at.rows || !at.columns) { box.append(h('p', { class: 'say' }, 'No cells.')); return; }
  const svg = drawing(box, at.width, at.height, `${view.title}: ${view.y.label} by ${view.x.label}, ${at.rows} × ${at.columns} cells`);
  const gap = at.w >= 10 && at.h >= 10 ? 1 : 0;
  const paths = new Map();
  const texts = [];
  const whole = state.mode === 'counts' || !view.modes && values.every((row) => row.every((v) => Number.isInteger(v) || v == null));
  for (let row = 0; row < at.rows; row++) {
    for (let column = 0; column < at.columns; column++) {
      const v = value(row, column);
      const step = v == null ? -1 : Math.round((STEPS - 1) * (v - domain[0]) / (domain[1] - domain[0]));
      const x = at.left + column * at.w, y = at.top + row * at.h;
      if (!paths.has(step)) paths.set(step, []);
      paths.get(step).push(`M${x.toFixed(2)} ${y.toFixed(2)}h${(at.w - gap).toFixed(2)}v${(at.h - gap).toFixed(2)}h${(gap - at.w).toFixed(2)}z`);
      if (v != null && at.w >= 34 && at.h >= 18 && (whole ? v : Math.abs(v) >= 0.005)) texts.push([x + at.w / 2, y + at.h / 2, (whole ? say(v) : d3.format('.2f')(v)).replace('-', '−'), colour(step / (STEPS - 1))]);
    }
  }
  const cells = svg.append('g').attr('class', 'cells').attr('shape-rendering', 'crispEdges');
  for (const [step, pieces] of paths) cells.append('path').attr('d', pieces.join('')).attr('class', step < 0 ? 'undefined' : null).attr('fill', step < 0 ? null : colour(step / (STEPS - 1)));
  const written = svg.append('g').attr('class', 'cell-text');
  for (const [x, y, text, under] of texts) if (textWidth(text) * 0.85 < at.w) written.append('text').attr('x', x).attr('y', y + 4).text(text).style('fill', inkOn(under));

  const rowNames = svg.append('g').attr('class', 'axis');
  const every = Math.max(1, Math.ceil(11 / at.h));
  at.rowTexts.forEach((text, row) => {
    if (row % every === 0) rowNames.append('text').attr('x', at.left - 6).attr('y', at.top + (row + 0.5) * at.h + 4).attr('text-anchor', 'end').text(text);
  });
  drawBandNames(svg, at.names, at.bottom, (column) => at.left + (column + 0.5) * at.w);
  axisTitles(svg, { x: view.x.label, y: view.y.label, left: at.left, right: at.right, bottom: at.height - 6 });
  if (view.modes) drawSums(svg, at, order, total);
  exploreHeat(svg, card, at, order, total, value);
  heatLegend(card.legend, domain, colour, view.diverging, state.mode || view.unit, format);
  const words = [view.modes && ['beside', 'samples of the row or column'], paths.has(-1) && ['undefined', view.modes ? 'not defined: 0 of 0' : 'not defined']].filter(Boolean);
  for (const [name, text] of words) card.legend.append(h('span', { class: `word ${name}` }, text));
}

// Thin bars of the rows' and columns' sums: what shares are shares of.
function drawSums(svg, at, order, total) {
  const bars = svg.append('g').attr('class', 'sums');
  const wide = d3.scaleLinear().domain([0, d3.max(total.rows) || 1]).range([0, at.margin - 8]);
  const high = d3.scaleLinear().domain([0, d3.max(total.cols) || 1]).range([0, at.margin - 8]);
  order.rows.forEach((y, row) => bars.append('rect').attr('x', at.right + 4).attr('y', at.top + row * at.h + 0.15 * at.h)
    .attr('width', wide(total.rows[y])).attr('height', 0.7 * at.h));
  order.columns.forEach((x, column) => bars.append('rect').attr('x', at.left + column * at.w + 0.15 * at.w).attr('y', at.top - 4 - high(total.cols[x]))
    .attr('width', 0.7 * at.w).attr('height', high(total.cols[x])));
}

function exploreHeat(svg, card, at, order, total, value) {
  const { view, state } = card;
  const outline = svg.append('rect').attr('class', 'outline').attr('width', at.w).attr('height', at.h).style('display', 'none');
  const format = heatSay(card);
  const clamp = (row, column) => [Math.max(0, Math.min(at.rows - 1, row)), Math.max(0, Math.min(at.columns - 1, column))];
  explore(svg, {
    find: (x, y) => (x < at.left || x >= at.right || y < at.top || y >= at.bottom ? null
      : [Math.floor((y - at.top) / at.h), Math.floor((x - at.left) / at.w)]),
    step: (place, key) => {
      if (!place) return [0, 0];
      const move = { Left: [0, -1], Right: [0, 1], Up: [-1, 0], Down: [1, 0] }[key];
      return clamp(place[0] + move[0], place[1] + move[1]);
    },
    show: ([row, column]) => {
      const x = order.columns[column], y = order.rows[row], count = view.frames[state.frame].values[y][x];
      outline.attr('x', at.left + column * at.w).attr('y', at.top + row * at.h).style('display', null);
      const lines = view.modes
        ? [['count', say(count)], [`of ${say(total.rows[y])} in the row`, percent(heatValue(count, 'by rows', total.rows[y]))],
          [`of ${say(total.cols[x])} in the column`, percent(heatValue(count, 'by columns', 0, total.cols[x]))]]
        : [[view.unit || 'value', format(value(row, column))]];
      return { x: at.left + (column + 1) * at.w, y: at.top + (row + 0.5) * at.h,
        heading: `${view.y.label} ${view.y.names[y]} · ${view.x.label} ${view.x.names[x]}`, lines };
    },
    clear: () => outline.style('display', 'none'),
  });
}

let gradients = 0;

function heatLegend(box, domain, colour, diverging, label, format) {
  box.replaceChildren();
  const width = 168, id = `ramp${gradients++}`;
  const svg = d3.select(box).append('svg').attr('width', width).attr('height', 30).attr('class', 'ramp').attr('role', 'img')
    .attr('aria-label', `colours: ${label || 'value'} from ${format(domain[0])} to ${format(domain[1])}`);
  const stops = svg.append('defs').append('linearGradient').attr('id', id).selectAll('stop').data(d3.range(0, 1.0001, 1 / 16));
  stops.enter().append('stop').attr('offset', (t) => t).attr('stop-color', colour);
  svg.append('rect').attr('width', width).attr('height', 9).attr('rx', 2).attr('fill', `url(#${id})`);
  const ticks = diverging ? [domain[0], 0, domain[1]] : domain;
  ticks.forEach((tick, i) => svg.append('text').attr('y', 23).attr('x', width * i / (ticks.length - 1))
    .attr('text-anchor', i === 0 ? 'start' : i === ticks.length - 1 ? 'end' : 'middle').text(format(tick)));
}

function heatTable(view) {
  const rows = [];
  for (const { step, label, values } of view.frames) {
    values.forEach((row, y) => row.forEach((value, x) => rows.push([step == null ? label : step, view.y.names[y], view.x.names[x], value])));
  }
  const columns = ['step', view.y.label, view.x.label, view.modes ? 'count' : view.unit || 'value'];
  return { columns: columns.map((name, i) => columns.indexOf(name) < i ? `other ${name}` : name), rows };
}

// By rows, by columns, counts; the order; and a slider over steps, which moves all of a part.
function heatControls(card) {
  const { view } = card, state = heatState(card), controls = [];
  if (view.modes) {
    controls.push(segmented('Shares', view.modes.map((mode) => [mode, mode]), state.mode, (mode) => { state.mode = mode; redraw(card); }));
    if (view.x.names.length > 2 && view.y.names.length > 2) {
      controls.push(segmented('Order', [[false, 'as numbered'], [true, 'by likeness']], !!state.alike, (alike) => { state.alike = alike; redraw(card); }));
    }
  }
  if (view.frames.length > 1) controls.push(slider(card));
  return controls;
}

function slider(card) {
  const { view, state } = card, last = view.frames.length - 1;
  const name = (i) => view.frames[i].label || `step ${say(view.frames[i].step)}`;
  const output = h('output', null, name(state.frame));
  const range = h('input', { type: 'range', min: 0, max: last, value: state.frame, 'aria-label': 'Step', 'aria-valuetext': name(state.frame),
    input: () => { stop(); card.part.show(view.frames[Number(range.value)], card); go(Number(range.value)); } });
  const go = (frame) => {
    range.value = frame;
    range.setAttribute('aria-valuetext', name(frame));
    output.textContent = name(frame);
    if (frame === state.frame) return;
    state.frame = frame;
    redraw(card);
  };
  let timer = null;
  const button = h('button', { type: 'button', class: 'play', 'aria-label': 'Play the steps', click: () => (timer ? stop() : play()) }, '▶');
  const stop = () => { clearInterval(timer); timer = null; button.textContent = '▶'; button.setAttribute('aria-label', 'Play the steps'); };
  const play = () => {
    const tick = () => {
      if (!button.isConnected || state.frame === last) { stop(); return; }
      go(state.frame + 1);
      card.part.show(view.frames[state.frame], card);
    };
    if (state.frame === last) { go(0); card.part.show(view.frames[0], card); }
    timer = setInterval(tick, Math.max(150, Math.min(700, 12000 / last)));
    button.textContent = '❚❚';
    button.setAttribute('aria-label', 'Stop');
  };
  card.goTo = (step) => { // the last frame that is not behind it
    stop();
    let frame = 0;
    view.frames.forEach((other, i) => { if (other.step <= step) frame = i; });
    go(frame);
  };
  return h('div', { class: 'slider' }, button, range, output);
}
