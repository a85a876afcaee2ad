// Lines with bands, bars with intervals, points.

const hidden = (card) => card.state.hidden || (card.state.hidden = new Set());

function seriesLegend(card, line) {
  const { series } = card.view, colours = seriesColours(series.length), off = hidden(card);
  card.legend.replaceChildren();
  if (series.length < 2) return;
  legend(card.legend, series.map(({ name, dashed }, i) => ({ name, colour: colours[i], dash: dashed ? dashes[i % dashes.length] : null, off: off.has(i), line })),
    (i) => { if (!off.delete(i)) off.add(i); redraw(card); });
}

// Whether a value has a place on a view's axis: of powers of ten 0 has none.
const drawable = ({ y }) => (value) => value != null && (!y.log || value > 0);

function drawLines(box, card, width) {
  const { view } = card, off = hidden(card), xs = view.x.values, n = view.series.length;
  const shown = d3.range(n).filter((i) => !off.has(i));
  const { log } = view.y, drawn = drawable(view);
  const bounds = shown.flatMap((i) => ['values', 'low', 'high'].flatMap((key) => view.series[i][key] || [])).filter(drawn);
  const at = plot(box, card, { width, height: width > 700 ? 340 : 280, xDomain: extent(xs.concat((view.marks || []).map((mark) => mark.x))), yDomain: log ? decades(bounds) : amounts(bounds, view.y),
    xLabel: view.x.label, yLabel: view.y.label, square: view.diagonal, log });
  const { svg, x, y } = at, colours = seriesColours(n);
  if (view.diagonal) diagonal(at);
  if (view.marks) drawMarks(at, view.marks);
  const paths = new Map();
  const defined = (values) => (_, k) => drawn(values[k]) && xs[k] != null;
  const path = (values) => d3.line().defined(defined(values)).x((_, k) => x(xs[k])).y((_, k) => y(values[k]))(xs);
  for (const i of shown) {
    const { low, high } = view.series[i];
    if (!low || !high) continue;
    svg.append('path').attr('class', 'band').style('--c', colours[i]).attr('d', d3.area()
      .defined((_, k) => drawn(low[k]) && drawn(high[k]) && xs[k] != null).x((_, k) => x(xs[k])).y0((_, k) => y(low[k])).y1((_, k) => y(high[k]))(xs));
  }
  for (const i of shown) {
    const { values, dashed } = view.series[i];
    paths.set(i, svg.append('path').attr('class', n > CATEGORIES ? 'line thin' : 'line').style('--c', colours[i]).attr('d', path(values))
      .attr('stroke-dasharray', dashed ? dashes[i % dashes.length] : null));
    // Points, where there are few; and in any case those that have no neighbour to be joined with.
    const lone = (k) => (k === 0 || !drawn(values[k - 1])) && (k === xs.length - 1 || !drawn(values[k + 1]));
    const { low, high } = view.series[i];
    if (low && high) { // a point without neighbours has no band
      svg.append('path').attr('class', 'whisker').attr('d', xs.map((value, k) => (value != null && drawn(values[k]) && lone(k) && drawn(low[k]) && drawn(high[k])
        ? `M${x(value)} ${y(low[k])}V${y(high[k])}` : '')).join(''));
    }
    svg.append('path').attr('class', 'dots').style('--c', colours[i]).attr('d', xs.map((value, k) => (
      drawn(values[k]) && value != null && (lone(k) || (xs.length <= 16 && n <= CATEGORIES)) ? `M${x(value).toFixed(1)} ${y(values[k]).toFixed(1)}h0` : '')).join(''));
  }
  if (!bounds.length) nothing(svg, width, 200);
  seriesLegend(card, true);
  exploreLines(at, card, shown, colours, paths);
}

function diagonal({ svg, x, y }) {
  const low = Math.max(x.domain()[0], y.domain()[0]), high = Math.min(x.domain()[1], y.domain()[1]);
  if (low < high) svg.append('line').attr('class', 'rule dashed').attr('x1', x(low)).attr('y1', y(low)).attr('x2', x(high)).attr('y2', y(high));
}

// Upright lines; their names in two rows at the top, those without room in the table of numbers and under the pointer.
function drawMarks({ svg, x, top, bottom, left, right }, marks) {
  const ends = [-Infinity, -Infinity];
  for (const { x: value, label } of marks) {
    const place = x(value), width = textWidth(label);
    svg.append('line').attr('class', 'mark').attr('x1', place).attr('x2', place).attr('y1', top).attr('y2', bottom).append('title').text(label);
    const turn = place + 4 + width > right;
    const start = turn ? place - 4 - width : place + 4;
    const row = ends.findIndex((end) => start > end + 6);
    if (row < 0 || start < left) continue;
    ends[row] = start + width;
    svg.append('text').attr('class', 'mark-name').attr('x', start).attr('y', top + 11 + 13 * row).text(label);
  }
}

function exploreLines(at, card, shown, colours, paths) {
  const { view } = card, xs = view.x.values, { svg, x, y } = at, many = view.series.length > CATEGORIES;
  const rule = svg.append('line').attr('class', 'rule').attr('y1', at.top).attr('y2', at.bottom).style('display', 'none');
  const dots = svg.append('g').attr('class', 'found');
  const order = d3.range(xs.length).filter((k) => xs[k] != null).sort((a, b) => xs[a] - xs[b]);
  const value = (i, k) => view.series[i].values[k], drawn = drawable(view);
  const MOST = 12;
  explore(svg, {
    find: (px, py) => {
      if (px < at.left - 8 || px > at.right + 8 || py < at.top || py > at.bottom || !order.length) return null;
      const nth = first(order, (k) => Math.abs(x(xs[k]) - px));
      return { nth, i: shown[first(shown, (i) => (!drawn(value(i, order[nth])) ? Infinity : Math.abs(y(value(i, order[nth])) - py)))] };
    },
    step: (place, key) => {
      if (!order.length || !shown.length) return null;
      if (!place) return { nth: 0, i: shown[0] };
      const within = (n, length) => Math.max(0, Math.min(length - 1, n));
      const across = { Left: -1, Right: 1 }[key] || 0, along = { Up: -1, Down: 1 }[key] || 0;
      return { nth: within(place.nth + across, order.length), i: shown[within(shown.indexOf(place.i) + along, shown.length)] };
    },
    show: ({ nth, i: near }) => {
      const k = order[nth], has = shown.filter((i) => drawn(value(i, k))).sort((a, b) => value(b, k) - value(a, k));
      rule.attr('x1', x(xs[k])).attr('x2', x(xs[k])).style('display', null);
      dots.selectAll('*').remove();
      const told = has.length <= MOST ? has : [near, ...has.filter((i) => i !== near)].slice(0, MOST);
      for (const i of many ? [near] : has) if (drawn(value(i, k))) dots.append('circle').attr('r', 4).attr('cx', x(xs[k])).attr('cy', y(value(i, k))).style('--c', colours[i]);
      svg.classed('some', many);
      paths.forEach((path, i) => path.classed('lit', i === near));
      const lines = told.map((i) => {
        const { name, low, high } = view.series[i];
        const band = low && high && low[k] != null && high[k] != null ? ` (${say(low[k])} to ${say(high[k])})` : '';
        return [String(name), say(value(i, k)) + band, colours[i]];
      });
      if (has.length > told.length) lines.push([`and ${has.length - told.length} more`, '']);
      for (const mark of view.marks || []) if (mark.x === xs[k]) lines.push([mark.label, '']);
      return { x: x(xs[k]), y: has.length ? y(value(has[0], k)) : at.top, heading: `${view.x.label} ${say(xs[k])}`, lines };
    },
    clear: () => { rule.style('display', 'none'); dots.selectAll('*').remove(); svg.classed('some', false); },
  });
}

function linesTable(view) {
  return seriesTable(view.x.label, view.x.values, view.series);
}

function seriesTable(label, names, series) {
  const columns = [label], lists = [names];
  for (const { name, values, low, high } of series) {
    columns.push(name);
    lists.push(values);
    if (low && high) { columns.push(`${name} low`, `${name} high`); lists.push(low, high); }
  }
  return { columns, rows: names.map((_, k) => lists.map((list) => list[k])) };
}

// Bars lie where names are long, and stand where they are short or many.
function drawBars(box, card, width) {
  const { view } = card, off = hidden(card), names = view.x.names;
  const shown = d3.range(view.series.length).filter((i) => !off.has(i));
  const bounds = [0].concat(shown.flatMap((i) => ['values', 'low', 'high'].flatMap((key) => view.series[i][key] || [])).filter((value) => value != null));
  const longest = widest(cutAll(names, 20)) + 8;
  const lying = names.length <= 24 && longest > Math.min(110, (width - 60) / names.length) && (names.length <= 8 || longest > 90);
  const at = (lying ? barsLying : barsStanding)(box, card, width, amounts(bounds, view.y), Math.max(1, shown.length));
  const colours = seriesColours(view.series.length), zero = at.value(0);
  const inner = d3.scaleBand().domain(d3.range(shown.length)).range([0, at.band]).paddingInner(shown.length > 1 ? 0.12 : 0);
  const rect = (start, across, thick, from, to) => (lying
    ? { x: Math.min(from, to), y: start + across, width: Math.abs(to - from), height: thick }
    : { x: start + across, y: Math.min(from, to), width: thick, height: Math.abs(to - from) });
  shown.forEach((i, nth) => {
    const { values, low, high } = view.series[i], across = inner(nth), thick = Math.max(inner.bandwidth(), 0.6);
    values.forEach((value, k) => {
      if (value == null) return;
      const box = rect(at.start(k), across, thick, zero, at.value(value));
      const bar = at.svg.append('rect').attr('class', 'bar').style('--c', colours[i]);
      for (const [name, size] of Object.entries(box)) bar.attr(name, size.toFixed(2));
      if (low && high && low[k] != null && high[k] != null) {
        const middle = at.start(k) + across + thick / 2, [a, b] = [at.value(low[k]), at.value(high[k])], cap = Math.min(4, thick / 3);
        at.svg.append('path').attr('class', 'whisker').attr('d', lying
          ? `M${a} ${middle}H${b}M${a} ${middle - cap}v${2 * cap}M${b} ${middle - cap}v${2 * cap}`
          : `M${middle} ${a}V${b}M${middle - cap} ${a}h${2 * cap}M${middle - cap} ${b}h${2 * cap}`);
      }
    });
  });
  at.svg.append('line').attr('class', 'zero').attr('x1', lying ? zero : at.left).attr('x2', lying ? zero : at.right).attr('y1', lying ? at.top : zero).attr('y2', lying ? at.bottom : zero);
  if (bounds.length < 2) nothing(at.svg, width, 120);
  seriesLegend(card, false);
  const back = at.svg.insert('rect', ':first-child').attr('class', 'chosen-band').style('display', 'none');
  explore(at.svg, {
    find: (px, py) => {
      const k = Math.floor(((lying ? py - at.top : px - at.left)) / at.step);
      return k < 0 || k >= names.length || px < 0 || py < at.top || py > at.bottom ? null : k;
    },
    step: (place, key) => {
      const move = { Left: -1, Up: -1, Right: 1, Down: 1 }[key];
      return place == null ? 0 : Math.max(0, Math.min(names.length - 1, place + move));
    },
    show: (k) => {
      const box = lying ? { x: at.left, y: at.top + k * at.step, width: at.right - at.left, height: at.step }
        : { x: at.left + k * at.step, y: at.top, width: at.step, height: at.bottom - at.top };
      for (const [name, size] of Object.entries(box)) back.attr(name, size);
      back.style('display', null);
      return { x: lying ? at.right - 40 : box.x + at.step, y: lying ? box.y : at.top + 20, heading: `${view.x.label} ${names[k]}`,
        lines: shown.map((i) => {
          const { name, values, low, high } = view.series[i];
          const interval = low && high && low[k] != null && high[k] != null ? ` (${say(low[k])} to ${say(high[k])})` : '';
          return [String(name), say(values[k]) + interval, colours[i]];
        }) };
    },
    clear: () => back.style('display', 'none'),
  });
}

function barsStanding(box, card, width, domain, groups) {
  const { view } = card, names = view.x.names;
  const left = Math.max(28, widest(d3.scaleLinear().domain(domain).ticks(5).map(say)) + 14), right = width - 8;
  const step = Math.min((right - left) / names.length, 110 + 30 * (groups - 1)), layout = bandNames(names, step);
  const top = view.y.label ? 30 : 14, bottom = top + (width > 700 ? 240 : 200), height = bottom + layout.depth + 26;
  const svg = drawing(box, width, height, view.title), value = d3.scaleLinear().domain(domain).range([bottom, top]);
  svg.append('g').attr('class', 'grid').attr('transform', `translate(${left},0)`)
    .call(d3.axisLeft(value).ticks(5).tickFormat(say).tickSizeOuter(0).tickSize(-(right - left)).tickPadding(8));
  drawBandNames(svg, layout, bottom + 2, (k) => left + (k + 0.5) * step);
  axisTitles(svg, { x: view.x.label, y: view.y.label, left, right: Math.min(right, left + step * names.length), bottom: height - 6 });
  return { svg, value, left, right, top, bottom, step, band: step * 0.76, start: (k) => left + (k + 0.12) * step };
}

function barsLying(box, card, width, domain, groups) {
  const { view } = card, names = view.x.names, texts = cutAll(names, width < 480 ? 14 : 26);
  const left = Math.min(widest(texts), width * 0.4) + 12, right = width - 18, step = 14 + 10 * groups;
  const top = 24, bottom = top + step * names.length, height = bottom + 42;
  const svg = drawing(box, width, height, view.title), value = d3.scaleLinear().domain(domain).range([left, right]);
  svg.append('g').attr('class', 'grid').attr('transform', `translate(0,${bottom})`)
    .call(d3.axisBottom(value).ticks(Math.max(2, (right - left) / 80)).tickFormat(say).tickSizeOuter(0).tickSize(-(bottom - top)).tickPadding(8));
  const axis = svg.append('g').attr('class', 'axis');
  texts.forEach((text, k) => axis.append('text').attr('x', left - 8).attr('y', top + (k + 0.5) * step + 4).attr('text-anchor', 'end').text(text));
  axisTitles(svg, { x: view.y.label, y: view.x.label, left, right, bottom: height - 6 });
  return { svg, value, left, right, top, bottom, step, band: step * 0.72, start: (k) => top + (k + 0.14) * step };
}

function barsTable(view) {
  return seriesTable(view.x.label, view.x.names, view.series);
}

function drawScatter(box, card, width) {
  const { view } = card, off = hidden(card), colours = seriesColours(view.series.length);
  const shown = d3.range(view.series.length).filter((i) => !off.has(i));
  const points = shown.flatMap((i) => view.series[i].x.map((value, k) => ({ i, k, x: value, y: view.series[i].y[k] })).filter((p) => p.x != null && p.y != null));
  const at = plot(box, card, { width, height: width > 700 ? 380 : 300, xDomain: d3.scaleLinear().domain(extent(points.map((p) => p.x))).nice(6).domain(),
    yDomain: d3.scaleLinear().domain(extent(points.map((p) => p.y))).nice(6).domain(), xLabel: view.x.label, yLabel: view.y.label });
  const thick = points.length > 2000 ? 3 : points.length > 300 ? 4.5 : 7;
  for (const i of shown) {
    at.svg.append('path').attr('class', 'points').style('--c', colours[i]).attr('stroke-width', thick)
      .attr('d', points.filter((p) => p.i === i).map((p) => `M${at.x(p.x).toFixed(1)} ${at.y(p.y).toFixed(1)}h0`).join(''));
  }
  if (!points.length) nothing(at.svg, width, 200);
  seriesLegend(card, false);
  const tree = d3.quadtree(points, (p) => at.x(p.x), (p) => at.y(p.y)), ring = at.svg.append('circle').attr('class', 'ring').attr('r', thick).style('display', 'none');
  const sorted = points.slice().sort((a, b) => a.x - b.x || a.y - b.y);
  explore(at.svg, {
    find: (px, py) => tree.find(px, py, 24) || null,
    step: (place, key) => {
      const move = { Left: -1, Down: -1, Right: 1, Up: 1 }[key];
      return sorted[place == null ? 0 : Math.max(0, Math.min(sorted.length - 1, sorted.indexOf(place) + move))];
    },
    show: (p) => {
      ring.attr('cx', at.x(p.x)).attr('cy', at.y(p.y)).style('display', null);
      return { x: at.x(p.x), y: at.y(p.y), heading: String(view.series[p.i].name), lines: [[view.x.label, say(p.x)], [view.y.label, say(p.y)]] };
    },
    clear: () => ring.style('display', 'none'),
  });
}

function scatterTable(view) {
  return { columns: ['series', view.x.label, view.y.label], rows: view.series.flatMap(({ name, x, y }) => x.map((value, k) => [name, value, y[k]])) };
}
