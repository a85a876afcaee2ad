// The flow of samples from the experts of one snapshot to those of another: what stays is quiet, what moves is seen.

function flowState(card) {
  const { view, state } = card;
  if (state.from == null) { state.from = 0; state.to = view.snapshots.length - 1; }
  return state;
}

// [from, to, count] of what flows between two snapshots, whichever of them comes first.
function flowCounts(view, from, to) {
  if (from === to) return [];
  const counts = view.counts[`${Math.min(from, to)}-${Math.max(from, to)}`] || [];
  return counts.flatMap((row, a) => row.map((n, b) => (from < to ? [a, b, n] : [b, a, n]))).filter((c) => c[2] > 0);
}

function drawFlow(box, card, width) {
  const { view } = card, { from, to } = flowState(card);
  const counts = flowCounts(view, from, to);
  const total = d3.sum(counts, (c) => c[2]), stay = d3.sum(counts, (c) => (c[0] === c[1] ? c[2] : 0));
  const name = (i) => view.snapshots[i].label || `step ${say(view.snapshots[i].step)}`;
  box.append(h('p', { class: 'say' }, total
    ? [h('b', null, `${say(total - stay)} of ${say(total)} samples`), ` (${percent((total - stay) / total)}) are with another expert at ${name(to)} than at ${name(from)}.`]
    : 'Nothing flows between these two: choose two different steps that share samples.'));
  if (!total) return;

  const texts = cutAll(view.names, width < 480 ? 7 : 16), side = widest(texts) + 14;
  const used = d3.range(view.names.length).filter((e) => counts.some((c) => c[0] === e || c[1] === e));
  const height = Math.max(240, Math.min(chosen.print ? 820 : 1400, used.length * (used.length > 24 ? 17 : 30)));
  const pad = used.length > 24 ? 3 : 7, usable = height - 44 - pad * (used.length - 1);
  const svg = drawing(box, width, height, `${view.title}: from ${name(from)} to ${name(to)}, ${percent(stay / total)} of samples stay`);
  const sides = [0, 1].map((end) => {
    let y = 30;
    return new Map(used.map((e) => {
      const n = d3.sum(counts, (c) => (c[end] === e ? c[2] : 0)), node = { e, n, y, high: n / total * usable, next: y };
      y += node.high + pad;
      return [e, node];
    }));
  });
  const left = side, right = width - side, thick = 9, middle = (left + right) / 2;
  const ribbons = counts.slice().sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([a, b, n]) => {
    const one = sides[0].get(a), y0 = one.next, high = n / total * usable;
    one.next += high;
    return { a, b, n, y0, high };
  });
  ribbons.slice().sort((p, q) => p.b - q.b || p.a - q.a).forEach((r) => { const two = sides[1].get(r.b); r.y1 = two.next; two.next += r.high; });
  const shape = ({ y0, y1, high }) => `M${left + thick} ${y0}C${middle} ${y0} ${middle} ${y1} ${right - thick} ${y1}v${high}C${middle} ${y1 + high} ${middle} ${y0 + high} ${left + thick} ${y0 + high}z`;
  const links = svg.append('g').attr('class', 'links');
  const drawn = [...ribbons.filter((r) => r.a === r.b), ...ribbons.filter((r) => r.a !== r.b).sort((p, q) => q.n - p.n)];
  for (const r of drawn) r.path = links.append('path').attr('class', r.a === r.b ? 'stays' : 'moves').attr('d', shape(r)).node();

  const titles = svg.append('g').attr('class', 'titles');
  titles.append('text').attr('x', width < 480 ? 0 : left).attr('y', 14).text(name(from));
  titles.append('text').attr('x', width < 480 ? width : right).attr('y', 14).attr('text-anchor', 'end').text(name(to));
  const nodes = svg.append('g').attr('class', 'nodes');
  sides.forEach((map, end) => {
    let last = -Infinity;
    for (const node of map.values()) {
      nodes.append('rect').attr('x', end ? right - thick : left).attr('y', node.y).attr('width', thick).attr('height', Math.max(node.high, 0.7));
      const y = node.y + node.high / 2;
      if (y - last < 11) continue;
      last = y;
      nodes.append('text').attr('x', end ? right + 6 : left - 6).attr('y', y + 4).attr('text-anchor', end ? 'start' : 'end').text(texts[node.e]);
    }
  });
  card.legend.replaceChildren();
  legend(card.legend, [{ name: 'stay', colour: 'var(--quiet)' }, { name: 'move', colour: 'var(--c1)' }]);
  exploreFlow(svg, card, { ribbons, sides, left, right, thick, used, shape });
}

function exploreFlow(svg, card, { ribbons, sides, left, right, used }) {
  const { view } = card;
  const near = (end, y) => used.find((e) => { const n = sides[end].get(e); return y >= n.y - 1.5 && y <= n.y + n.high + 1.5; });
  const lit = (test) => {
    svg.classed('some', true);
    for (const r of ribbons) r.path.classList.toggle('lit', test(r));
  };
  const link = (x, y) => {
    const t = (x - left) / (right - left), s = t * t * (3 - 2 * t); // near enough to the curve
    return ribbons.find((r) => { const top = r.y0 + (r.y1 - r.y0) * s; return y >= top && y <= top + r.high; });
  };
  explore(svg, {
    find: (x, y) => {
      if (x <= left + 14 || x >= right - 14) {
        const end = x >= right - 14 ? 1 : 0, e = near(end, y);
        return e == null ? null : { end, e };
      }
      const ribbon = link(x, y);
      return ribbon ? { ribbon } : null;
    },
    step: (place, key) => {
      if (!place || place.ribbon) return { end: 0, e: used[0] };
      if (key === 'Left' || key === 'Right') return { end: key === 'Right' ? 1 : 0, e: place.e };
      return { end: place.end, e: used[Math.max(0, Math.min(used.length - 1, used.indexOf(place.e) + (key === 'Up' ? -1 : 1)))] };
    },
    show: ({ end, e, ribbon }) => {
      if (ribbon) {
        lit((r) => r === ribbon);
        const whole = sides[0].get(ribbon.a).n;
        return { x: (left + right) / 2, y: (ribbon.y0 + ribbon.y1) / 2, heading: `${view.names[ribbon.a]} → ${view.names[ribbon.b]}`,
          lines: [['samples', say(ribbon.n)], [`of the ${say(whole)} of ${view.names[ribbon.a]}`, percent(ribbon.n / whole)]] };
      }
      lit((r) => (end ? r.b : r.a) === e);
      const node = sides[end].get(e), parts = ribbons.filter((r) => (end ? r.b : r.a) === e).sort((p, q) => q.n - p.n);
      const lines = parts.slice(0, 8).map((r) => [`${end ? 'from' : 'to'} ${view.names[end ? r.a : r.b]}`, `${say(r.n)} (${percent(r.n / node.n)})`]);
      if (parts.length > 8) lines.push([`and ${parts.length - 8} more`, say(d3.sum(parts.slice(8), (r) => r.n))]);
      return { x: end ? right - 10 : left + 10, y: node.y, heading: `${view.names[e]}: ${say(node.n)} samples`, lines };
    },
    clear: () => svg.classed('some', false),
  });
}

function flowControls(card) {
  const { view } = card, state = flowState(card);
  const options = view.snapshots.map(({ step, label }, i) => [i, label || `step ${say(step)}`]);
  return [picker('from', options, state.from, (i) => { state.from = i; redraw(card); }), picker('to', options, state.to, (i) => { state.to = i; redraw(card); })];
}

function flowTable(view) {
  const name = (i) => (view.snapshots[i].step == null ? view.snapshots[i].label : view.snapshots[i].step);
  return { columns: ['step', 'to step', 'from', 'to', 'count'], rows: Object.entries(view.counts).flatMap(([pair, counts]) => {
    const [i, j] = pair.split('-').map(Number);
    return counts.flatMap((row, a) => row.map((n, b) => [name(i), name(j), view.names[a], view.names[b], n]));
  }) };
}
