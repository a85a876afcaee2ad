// Samples as pictures or texts, by expert or class; a click shows one large, with what an expert looked at.

function galleryState(card) {
  const { view, state } = card, full = d3.range(view.names.length).filter((of) => view.items.some((item) => item.of === of));
  if (state.of == null) state.of = full.length > 12 ? full[0] : -1;
  return Object.assign(state, { full });
}

function drawGallery(box, card) {
  const { view } = card, { of, full } = galleryState(card);
  for (const group of of < 0 ? full : [of]) {
    const items = view.items.filter((item) => item.of === group);
    box.append(h('section', { class: 'group' }, h('h4', null, String(view.names[group])),
      h('div', { class: items.some((item) => item.picture) ? 'pictures' : 'texts' }, items.map((item) => thumbnail(view, item)))));
  }
  if (!view.items.length) box.append(h('p', { class: 'say' }, 'No samples.'));
}

function thumbnail(view, item) {
  return h('button', { type: 'button', class: 'sample', click: () => openSample(view, item) },
    item.picture ? h('img', { src: item.picture, alt: `sample ${item.sample}` }) : h('q', null, item.text || 'no picture, no text'),
    h('small', null, item.caption || `sample ${item.sample}`));
}

function galleryControls(card) {
  const { view } = card, state = galleryState(card);
  if (state.full.length < 2) return [];
  return [picker('show', [[-1, 'all'], ...state.full.map((i) => [i, String(view.names[i])])], state.of, (of) => { state.of = of; redraw(card); })];
}

// A sample by itself: the arrow keys go on to the next ones.
function openSample(view, item) {
  const dialog = document.getElementById('mot-dialog'), group = view.items.filter((other) => other.of === item.of), heads = item.attention ? item.attention.heads : [];
  const stage = h('div', { class: 'stage' }), at = group.indexOf(item);
  const showHead = (head) => { stage.replaceChildren(...sampleParts(item, head)); };
  showHead(heads.length ? 0 : -1);
  const go = (move) => { const next = group[at + move]; if (next) openSample(view, next); };
  dialog.replaceChildren(
    h('form', { method: 'dialog' }, h('button', { class: 'close', 'aria-label': 'Close' }, '×')),
    h('h3', null, `Sample ${say(item.sample)} · ${view.names[item.of]}`), h('p', { class: 'say' }, item.caption || ''), stage,
    heads.length ? segmented('Attention', [[-1, 'without attention'], ...heads.map((_, i) => [i, `head ${i}`])], 0, showHead) : '',
    h('p', { class: 'walk' }, h('button', { type: 'button', disabled: at === 0, click: () => go(-1) }, '← before'), ` ${at + 1} of ${group.length} `,
      h('button', { type: 'button', disabled: at === group.length - 1, click: () => go(1) }, 'next →')));
  dialog.onkeydown = (event) => {
    if (event.target.closest('select, input')) return;
    if (event.key === 'ArrowLeft') go(-1);
    if (event.key === 'ArrowRight') go(1);
  };
  if (!dialog.open) dialog.showModal();
}

function sampleParts(item, head) {
  const weights = head < 0 ? null : item.attention.heads[head], most = weights ? d3.max(weights) || 1 : 1;
  const strength = (i) => (weights ? weights[i] / most : 0);
  const parts = [];
  if (item.picture) {
    const frame = h('div', { class: 'large' }, h('img', { src: item.picture, alt: `sample ${item.sample}` }));
    if (weights) {
      const { rows, columns } = item.attention;
      const cover = d3.select(frame).append('svg').attr('viewBox', `0 0 ${columns} ${rows}`).attr('preserveAspectRatio', 'none').attr('role', 'img').attr('aria-label', `attention of head ${head}`);
      weights.forEach((_, i) => cover.append('rect').attr('x', i % columns).attr('y', Math.floor(i / columns)).attr('width', 1.02).attr('height', 1.02).attr('fill-opacity', 0.75 * strength(i)));
    }
    parts.push(frame);
  }
  if (item.text) {
    const words = item.text.split(/(\s+)/), spoken = words.filter((word) => word.trim());
    let nth = 0;
    parts.push(h('blockquote', null, weights && spoken.length === weights.length && !item.picture
      ? words.map((word) => {
        if (!word.trim()) return word;
        const mark = h('mark', null, word);
        mark.style.setProperty('--strength', Math.round(100 * strength(nth++)) + '%');
        return mark;
      }) : item.text));
    if (weights && spoken.length !== weights.length && !item.picture) parts.push(weightBars(weights, head));
  }
  return parts;
}

// Where weights cannot be laid over words: one bar each, in order.
function weightBars(weights, head) {
  const svg = d3.create('svg').attr('class', 'weights').attr('viewBox', `0 0 ${weights.length} 10`).attr('preserveAspectRatio', 'none').attr('role', 'img').attr('aria-label', `attention of head ${head}, in order`);
  const most = d3.max(weights) || 1;
  weights.forEach((weight, i) => svg.append('rect').attr('x', i + 0.1).attr('width', 0.8).attr('y', 10 - 10 * weight / most).attr('height', 10 * weight / most));
  return svg.node();
}

function galleryTable(view) {
  return { columns: ['of', 'sample', 'caption', 'text'], rows: view.items.map((item) => [view.names[item.of], item.sample, item.caption, item.text]) };
}
